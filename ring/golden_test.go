package ring

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A change of the golden file moves keys in every cluster that exists. The
// flag is for adding cases: go test ./ring -run Golden -update
var update = flag.Bool("update", false, "write testdata/golden.txt instead of comparing with it")

const goldenHeader = `# Golden vectors of package ring, for checking an implementation in any language.
#
# cluster  partitions, vnodes per unit of weight, hash; then its nodes
# node     id, zone (- is the empty zone), weight, number of vnodes
# point    node id, vnode index, point on the circle (first attempt)
# probe    partition, walker, point from which it sets out
# lists    SHA-256 of the cluster's preference lists: for each partition from 0,
#          the ids of the whole list, separated by commas, and a line feed
# key      tenant, key in hexadecimal, token, partition, preference list
#
# Points, probes and tokens are 64-bit numbers in hexadecimal.
`

func TestGoldenVectorsAreReproduced(t *testing.T) {
	file := filepath.Join("testdata", "golden.txt")
	var b strings.Builder
	b.WriteString(goldenHeader)
	for _, h := range []Hash{XXHash64, SHA256} {
		for _, c := range goldenClusters() {
			c.config.Hash = h
			writeGolden(t, &b, c.config, c.nodes)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	wantLines, lines := strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")
	for i := range min(len(lines), len(wantLines)) {
		require.Equal(t, wantLines[i], lines[i], "line %d of %s", i+1, file)
	}
	require.Len(t, lines, len(wantLines))
}

type goldenCluster struct {
	config Config
	nodes  []Node
}

func goldenClusters() []goldenCluster {
	many := make([]Node, 20)
	for i := range many {
		many[i] = Node{ID: fmt.Sprintf("node-%02d", 19-i), Zone: fmt.Sprintf("rack-%d", i%4), Weight: 1 + float64(i%3)/2}
	}
	return []goldenCluster{
		{Config{}, []Node{{ID: "n1"}, {ID: "n2"}, {ID: "n3"}}},
		{Config{Partitions: 256}, []Node{
			{ID: "a1", Zone: "a"}, {ID: "a2", Zone: "a", Weight: 2}, {ID: "b1", Zone: "b", Weight: 0.5},
			{ID: "b2", Zone: "b", Weight: 1.25}, {ID: "c1", Zone: "c", Weight: 3}, {ID: "d1"}, {ID: "ü", Zone: "c", Weight: 0.001},
		}},
		{Config{Partitions: 1024}, many},
		{Config{Partitions: 1, VNodes: 1}, []Node{{ID: "only"}}},
		{Config{Partitions: 16, VNodes: 1}, []Node{{ID: "x", Zone: "1"}, {ID: "y", Zone: "2"}, {ID: "z", Zone: "2"}}},
	}
}

// goldenKeys are pairs that an implementation may get wrong: shared
// concatenations, text beyond ASCII, bytes that are no text, block lengths of
// the hashes, the limits of length.
func goldenKeys() [][2]string {
	keys := [][2]string{
		{"a", "b"}, {"ab", "c"}, {"a", "bc"}, {"abc", "d"}, {"t", "\x00"}, {"t", "\x00\x00"}, {"t", "\xff\xfe\xfd"},
		{"t", "\x00\x00\x00\x01a"}, {"acme", "user/4711"}, {"acme", "user/4712"}, {"Acme", "user/4711"},
		{"acme", "straße"}, {"acme", "stra\u00dfe\u0301"}, {"acme", "日本語"}, {"acme", "👩‍🚀"}, {"acme", " "}, {"acme", "\n"},
		{"acme", "\xc3\x28"}, {"A-z0.9_", "..%2F"}, {strings.Repeat("t", 128), "k"},
	}
	for _, n := range []int{24, 25, 27, 28, 51, 52, 60, 1024} {
		keys = append(keys, [2]string{"acme", strings.Repeat("k", n)})
	}
	return keys
}

func writeGolden(t *testing.T, b *strings.Builder, cfg Config, nodes []Node) {
	r, err := New(cfg, nodes)
	require.NoError(t, err)
	cfg = r.Config()
	fmt.Fprintf(b, "\ncluster %d %d %s\n", cfg.Partitions, cfg.VNodes, cfg.Hash)
	for _, n := range nodes {
		zone, weight := n.Zone, n.Weight
		if zone == "" {
			zone = "-"
		}
		if weight == 0 {
			weight = 1
		}
		fmt.Fprintf(b, "node %s %s %v %d\n", n.ID, zone, weight, n.vnodes(cfg))
	}
	for i := range uint32(min(3, nodes[0].vnodes(cfg))) {
		fmt.Fprintf(b, "point %s %d %016x\n", nodes[0].ID, i, cfg.Hash.point(nodes[0].ID, i, 0))
	}
	for k := range uint32(2) {
		fmt.Fprintf(b, "probe %d %d %016x\n", cfg.Partitions-1, k, cfg.Hash.probe(uint32(cfg.Partitions-1), k))
	}
	ids := func(p int) string {
		var out []string
		for _, o := range r.Owners(p, MaxOwners) {
			out = append(out, nodes[o].ID)
		}
		return strings.Join(out, ",")
	}
	all := sha256.New()
	for p := range r.Partitions() {
		fmt.Fprintln(all, ids(p))
	}
	fmt.Fprintf(b, "lists %x\n", all.Sum(nil))
	for _, k := range goldenKeys() {
		token := r.Token(k[0], k[1])
		p := r.Partition(token)
		fmt.Fprintf(b, "key %s %x %016x %d %s\n", k[0], k[1], token, p, ids(p))
	}
}
