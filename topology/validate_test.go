package topology_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/ring"
	"github.com/devrev/pairdb/topology"
)

func TestAValidTopologyHasARing(t *testing.T) {
	top := sample()
	require.NoError(t, top.Validate())
	r, err := top.Ring()
	require.NoError(t, err)
	require.Equal(t, 3, r.Nodes())
	require.Equal(t, 1024, r.Config().Partitions)
	require.Equal(t, ring.SHA256, r.Config().Hash)
}

func TestATopologyIsRefusedByField(t *testing.T) {
	long := strings.Repeat("x", topology.MaxNameLen+1)
	for name, c := range map[string]struct {
		change func(*topology.Topology)
		field  string
	}{
		"no cluster":          {func(t *topology.Topology) { t.Cluster = "" }, "Cluster"},
		"a space in cluster":  {func(t *topology.Topology) { t.Cluster = "a shop" }, "Cluster"},
		"a long cluster":      {func(t *topology.Topology) { t.Cluster = long }, "Cluster"},
		"no epoch":            {func(t *topology.Topology) { t.Epoch = 0 }, "Epoch"},
		"3 partitions":        {func(t *topology.Topology) { t.Partitions = 3 }, "Partitions"},
		"partitions below 0":  {func(t *topology.Topology) { t.Partitions = math.MinInt }, "Partitions"},
		"too many partitions": {func(t *topology.Topology) { t.Partitions = 2 * topology.MaxPartitions }, "Partitions"},
		"unknown hash":        {func(t *topology.Topology) { t.Hash = 99 }, "Hash"},
		"no nodes":            {func(t *topology.Topology) { t.Nodes = nil }, "Nodes"},
		"too many nodes":      {func(t *topology.Topology) { t.Nodes = many(topology.MaxNodes + 1) }, "Nodes"},
		"heavy nodes":         {func(t *topology.Topology) { t.Nodes = many(topology.MaxNodes); weigh(t.Nodes, 9) }, "Nodes"},
		"no id":               {func(t *topology.Topology) { t.Nodes[1].ID = "" }, "Nodes[1].ID"},
		"a slash in an id":    {func(t *topology.Topology) { t.Nodes[1].ID = "a/b" }, "Nodes[1].ID"},
		"not ASCII":           {func(t *topology.Topology) { t.Nodes[1].ID = "nœud" }, "Nodes[1].ID"},
		"a long id":           {func(t *topology.Topology) { t.Nodes[1].ID = topology.NodeID(long) }, "Nodes[1].ID"},
		"an id twice":         {func(t *topology.Topology) { t.Nodes[2].ID = "n1" }, "Nodes[2].ID"},
		"a long zone":         {func(t *topology.Topology) { t.Nodes[0].Zone = long }, "Nodes[0].Zone"},
		"a tab in a zone":     {func(t *topology.Topology) { t.Nodes[0].Zone = "a\tb" }, "Nodes[0].Zone"},
		"negative weight":     {func(t *topology.Topology) { t.Nodes[0].Weight = -1 }, "Nodes[0].Weight"},
		"tiny weight":         {func(t *topology.Topology) { t.Nodes[0].Weight = 1e-9 }, "Nodes[0].Weight"},
		"huge weight":         {func(t *topology.Topology) { t.Nodes[0].Weight = 101 }, "Nodes[0].Weight"},
		"weight not a number": {func(t *topology.Topology) { t.Nodes[0].Weight = math.NaN() }, "Nodes[0].Weight"},
		"endless weight":      {func(t *topology.Topology) { t.Nodes[0].Weight = math.Inf(1) }, "Nodes[0].Weight"},
		"unknown state":       {func(t *topology.Topology) { t.Nodes[0].State = 2 }, "Nodes[0].State"},
		"a store twice":       {func(t *topology.Topology) { t.Nodes[2].StoreID = 0xc0ffee }, "Nodes[2].StoreID"},
		"no addr":             {func(t *topology.Topology) { t.Nodes[2].Addr = "" }, "Nodes[2].Addr"},
		"an addr twice":       {func(t *topology.Topology) { t.Nodes[2].Addr = t.Nodes[0].Addr }, "Nodes[2].Addr"},
		"no port":             {func(t *topology.Topology) { t.Nodes[2].Addr = "host" }, "Nodes[2].Addr"},
		"no host":             {func(t *topology.Topology) { t.Nodes[2].Addr = ":7400" }, "Nodes[2].Addr"},
		"port 0":              {func(t *topology.Topology) { t.Nodes[2].Addr = "host:0" }, "Nodes[2].Addr"},
		"a port too many":     {func(t *topology.Topology) { t.Nodes[2].Addr = "host:65536" }, "Nodes[2].Addr"},
		"a port by name":      {func(t *topology.Topology) { t.Nodes[2].Addr = "host:http" }, "Nodes[2].Addr"},
		"a URL":               {func(t *topology.Topology) { t.Nodes[2].Addr = "http://host:80" }, "Nodes[2].Addr"},
		"a space in a host":   {func(t *topology.Topology) { t.Nodes[2].Addr = "my host:80" }, "Nodes[2].Addr"},
		"a long addr":         {func(t *topology.Topology) { t.Nodes[2].Addr = strings.Repeat("h", 300) + ":80" }, "Nodes[2].Addr"},
	} {
		t.Run(name, func(t *testing.T) {
			top := sample()
			c.change(&top)
			err := top.Validate()
			require.ErrorIs(t, err, topology.ErrInvalid)
			require.Equal(t, []string{c.field}, fields(err))
			_, err = top.Ring()
			require.ErrorIs(t, err, topology.ErrInvalid)
		})
	}
}

func TestAllThatIsWrongIsReportedAtOnce(t *testing.T) {
	top := sample()
	top.Epoch = 0
	top.Nodes[0].ID = ""
	top.Nodes[2].Addr = "x"
	require.Equal(t, []string{"Epoch", "Nodes[0].ID", "Nodes[2].Addr"}, fields(top.Validate()))
}

func TestWhatValidatePassesTheRingTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		top := topology.Topology{
			Cluster:    "c",
			Epoch:      1,
			Partitions: rapid.SampledFrom([]int{0, 1, 2, 64, 3, -1, 256}).Draw(t, "partitions"),
			Hash:       ring.Hash(rapid.IntRange(0, 3).Draw(t, "hash")), //nolint:gosec // 0 to 3
			Nodes:      many(rapid.IntRange(0, 5).Draw(t, "nodes")),
		}
		for i := range top.Nodes {
			top.Nodes[i].Weight = rapid.SampledFrom([]float64{0, 1, 0.01, 0.001, 7, 101, math.NaN()}).Draw(t, "weight")
			top.Nodes[i].Zone = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "zone")
		}
		if top.Validate() == nil {
			_, err := top.Ring()
			require.NoError(t, err)
		}
	})
}

func many(n int) []topology.Node {
	nodes := make([]topology.Node, n)
	for i := range nodes {
		nodes[i].ID = topology.NodeID(fmt.Sprintf("n%d", i))
		nodes[i].Addr = fmt.Sprintf("n%d:7400", i)
	}
	return nodes
}

func weigh(nodes []topology.Node, weight float64) {
	for i := range nodes {
		nodes[i].Weight = weight
	}
}
