package ring

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSharesSumToAllOwnershipsWithinTheirLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		portions := make([]portion, rapid.IntRange(1, 12).Draw(t, "portions"))
		var least, most uint64
		for i := range portions {
			p := &portions[i]
			p.weight = rapid.Uint64Range(1, 1<<20).Draw(t, "weight")
			p.least = rapid.Uint64Range(0, 1<<36).Draw(t, "least")
			p.most = p.least + rapid.Uint64Range(0, 1<<36).Draw(t, "span")
			least, most = least+p.least, most+p.most
		}
		total := rapid.Uint64Range(least, most).Draw(t, "total")
		divide(total, portions)
		var sum uint64
		for _, p := range portions {
			require.GreaterOrEqual(t, p.share, p.least)
			require.LessOrEqual(t, p.share, p.most)
			sum += p.share
		}
		require.InDelta(t, float64(total), float64(sum), float64(len(portions)))
	})
}

func TestSharesOfKnownClusters(t *testing.T) {
	const partitions = 60
	cases := []struct {
		name  string
		nodes []Node
		n     int
		want  []float64 // ownerships by node
	}{
		{"equal weights", []Node{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}}, 2, []float64{30, 30, 30, 30}},
		{"by weight", []Node{{ID: "a"}, {ID: "b"}, {ID: "c", Weight: 2}}, 1, []float64{15, 15, 30}},
		{"a heavy node owns a partition once", []Node{{ID: "a"}, {ID: "b"}, {ID: "c", Weight: 8}}, 2, []float64{30, 30, 60}},
		{"the spread over zones comes before the weights",
			[]Node{{ID: "a", Zone: "1"}, {ID: "b", Zone: "2"}, {ID: "c", Zone: "2"}}, 2, []float64{60, 30, 30}},
		{"a second round takes from every zone that has nodes left",
			[]Node{{ID: "a", Zone: "1"}, {ID: "b", Zone: "2"}, {ID: "c", Zone: "2"}, {ID: "d", Zone: "2"}}, 3, []float64{60, 40, 40, 40}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			members, zones := membersOf(Config{VNodes: 150}, c.nodes)
			for i, share := range shares(members, zones, partitions, c.n) {
				require.InDelta(t, c.want[i], float64(share)/(1<<fraction), 0.01, members[i].id)
			}
		})
	}
}
