package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

// A race is two Puts without a context of one key by two coordinators, each a
// clock read at a quorum and then a write.
type race struct {
	stores [3]vclock.State
	clocks [2]Read
	writes [2]Write
	// over is a write that was won before the other one asked for its first clock.
	asked, over [2]bool
}

var raced = [2]vclock.Dot{mine, stranger}

// step lets Put k reach owner i, and says whether there was anything to do.
func (c *race) step(t *testing.T, k, i int) bool {
	r := replicas(c.stores[:])
	clock, w := &c.clocks[k], &c.writes[k]
	switch {
	case clock.Outstanding().Has(i):
		c.over[1-k] = c.over[1-k] || !c.asked[k] && c.writes[1-k].Outcome() == Won
		c.asked[k] = true
		if clock.Reply(i, Answer{State: vclock.State{Clock: r[i].Clock}}).Done {
			p := writeOf(three, Quorum, vclock.Causal)
			p.Context, p.Sibling = clock.Result().Clock, sibling(raced[k])
			require.NoError(t, w.Init(p))
			w.Start()
		}
	case w.Outstanding().Has(i):
		r.repair(r.deliver(w, i))
	default:
		return false
	}
	return true
}

// finish plays every order of what is left to do, and judges each end.
func (c race) finish(t *testing.T) (orders int) {
	for k := range c.clocks {
		for i := range c.stores {
			if next := c; next.step(t, k, i) {
				orders += next.finish(t)
			}
		}
	}
	if orders > 0 {
		return orders
	}
	left := replicas(c.stores[:]).all()
	if len(left.Siblings) == 0 {
		t.Fatalf("both writes are gone: %+v", c.stores)
	}
	for k, d := range raced {
		covered := c.writes[1-k].Context().Covers(d)
		if left.Has(d) == covered || c.over[k] && !covered {
			t.Fatalf("write %d: covered %v, over %v: %+v", k, covered, c.over[k], c.stores)
		}
	}
	return 1
}

func TestOfTwoPutsWithoutAContextTheLaterCoversTheEarlierAndNeverBothEachOther(t *testing.T) {
	t.Parallel()
	orders := 0
	for _, order := range [][]uint8{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}}[:exploredOrders] {
		var c race
		for k, order := range [2][]uint8{{0, 1, 2}, order} {
			p := ReadParams{Owners: three, Level: Quorum, Order: order, ClockOnly: true}
			require.NoError(t, c.clocks[k].Init(p))
			c.clocks[k].Start()
		}
		orders += c.finish(t)
	}
	t.Logf("quorum: two Puts without a context, clock reads and writes of three owners: %d orders of events", orders)
}
