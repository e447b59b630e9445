package pairdb_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
)

func TestAPutWithAContextReplacesWhatItCoversInOneRoundTrip(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		first := w.put("k", "a", pairdb.NoContext())
		require.Equal(t, 1, first.RoundTrips)
		second := w.put("k", "b", pairdb.After(first.Context))
		require.Equal(t, 1, second.RoundTrips)
		require.Equal(t, 3, w.holders("k", "b"))
		w.put("k", "c", pairdb.After(w.get("k").Context))
		require.Equal(t, 3, w.holders("k", "c"))
		require.NotEqual(t, first.Dot, second.Dot)
	})
}

func TestAContextOlderThanOtherWritesLeavesThemAsSiblings(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		old := w.put("k", "a").Context
		w.put("k", "b", pairdb.After(old))
		w.put("k", "c", pairdb.After(old))
		require.Equal(t, []string{"b", "c"}, w.values("k"))
		obj := w.get("k")
		require.True(t, obj.Conflict())
		require.Equal(t, "c", string(obj.Value), "the latest")
		w.put("k", "d", pairdb.After(obj.Context))
		require.Equal(t, []string{"d"}, w.values("k"))
		require.False(t, w.get("k").Conflict())
	})
}

func TestAPutWithNoContextIsASiblingOfWhateverIsThere(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for _, v := range []string{"a", "b", "c"} {
			r := w.put("k", v, pairdb.NoContext())
			require.Equal(t, 1, r.RoundTrips)
		}
		require.Equal(t, []string{"a", "b", "c"}, w.values("k"))
	})
}

func TestAPutWithoutAContextReplacesAllSiblingsInTwoRoundTrips(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "k", "a", "b", "c")
		r := w.put("k", "d")
		require.Equal(t, 2, r.RoundTrips, "the clock is read first")
		require.Equal(t, 3, w.holders("k", "d"))
		r = w.put("k", "e")
		require.Equal(t, 2, r.RoundTrips, "also where this client wrote last")
		require.Equal(t, 3, w.holders("k", "e"))
	})
}

func TestAPutWithoutAContextReplacesWhatAnotherClientWroteBehindTheOwnersThatItHears(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		other := w.Client(t).Tenant("shop")
		w.put("k", "mine")
		w.Node(0).Stop()
		_, err := other.Put(t.Context(), "k", []byte("theirs"), pairdb.NoContext())
		require.NoError(t, err)
		synctest.Wait()
		w.Node(0).Start()
		w.Node(1).Stop()
		time.Sleep(10 * time.Second)
		w.put("k", "last")
		w.Heal()
		time.Sleep(10 * time.Second)
		require.Equal(t, []string{"last"}, w.values("k"))
	})
}

func TestAReceiptTellsTheDotTheContextAndHowManyOwnersHaveIt(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		r := w.put("k", "v", pairdb.AtLevel(pairdb.All))
		require.Equal(t, 3, r.Acked)
		require.Equal(t, 3, r.Owners)
		require.False(t, r.Superseded)
		obj := w.get("k")
		require.Equal(t, obj.Context, r.Context)
		require.Equal(t, obj.Siblings[0].Dot, r.Dot)
		for _, n := range w.Nodes() {
			applied := n.Applied()
			require.Equal(t, r.Dot, applied[len(applied)-1].Dot, "one write, one effect")
		}
	})
}

func TestAWriterMovesItsClockPastWhatItHasRead(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "first")
		behind := w.off(-30 * time.Second)
		_, err := behind.Get(t.Context(), "k")
		require.NoError(t, err)
		_, err = behind.Put(t.Context(), "k", []byte("second"), pairdb.NoContext())
		require.NoError(t, err)
		require.Equal(t, []string{"first", "second"}, w.values("k"), "oldest first")
	})
}

func TestALevelSaysHowManyOwnersHaveToAnswer(t *testing.T) {
	for _, c := range []struct {
		level pairdb.Level
		down  int // as many may be
	}{{pairdb.One, 2}, {pairdb.Two, 1}, {pairdb.Quorum, 1}, {pairdb.Three, 0}, {pairdb.All, 0}} {
		t.Run(c.level.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.put("k", "v", pairdb.AtLevel(pairdb.All))
				for i := range 3 {
					put := put("k", []byte("w"), pairdb.AtLevel(c.level), pairdb.NoContext())(t.Context(), w)
					get := get("k", pairdb.AtLevel(c.level))(t.Context(), w)
					update := update("k", pairdb.AtLevel(c.level))(t.Context(), w)
					if i <= c.down {
						require.NoError(t, put)
						require.NoError(t, get)
						require.NoError(t, update)
					} else {
						requireOneOutcome(t, put, pairdb.ErrNotApplied)
						requireNoOutcome(t, get)
						requireOneOutcome(t, update, pairdb.ErrNotApplied)
					}
					w.Node(i).Stop()
					synctest.Wait()
				}
			})
		})
	}
}

func TestTheLevelIsTheCallsElseTheClients(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Stop()
		synctest.Wait()
		require.ErrorIs(t, put("k", nil)(t.Context(), w), pairdb.ErrUnavailable)
		require.NoError(t, put("k", nil, pairdb.AtLevel(pairdb.Quorum))(t.Context(), w))
		require.NoError(t, get("k")(t.Context(), w), "the read level is One")
	}, pairdb.WithLevels(pairdb.Levels{Read: pairdb.One, Write: pairdb.All}))
}

func TestADeleteHidesJustWhatItsContextCovers(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		old := w.put("k", "a").Context
		w.put("k", "b", pairdb.NoContext())
		r, err := w.shop.Delete(t.Context(), "k", pairdb.After(old))
		require.NoError(t, err)
		require.Equal(t, 1, r.RoundTrips)
		synctest.Wait()
		require.Equal(t, []string{"b"}, w.values("k"))
		_, err = w.shop.Delete(t.Context(), "k")
		require.NoError(t, err)
		require.Empty(t, w.values("k"))
		_, err = w.shop.Delete(t.Context(), "never written")
		require.NoError(t, err)
	})
}

func TestNotFoundComesWithAContextThatCanBeWrittenWith(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("deleted", "v")
		_, err := w.shop.Delete(t.Context(), "deleted")
		require.NoError(t, err)
		for _, key := range []string{"absent", "deleted"} {
			obj, err := w.shop.Get(t.Context(), key)
			require.Equal(t, pairdb.ErrNotFound, err, "bare")
			require.False(t, obj.Found())
			require.Equal(t, key, obj.Key)
			require.Nil(t, obj.Value)
			require.False(t, obj.Context.IsZero())
			w.put(key, "back", pairdb.After(obj.Context))
			require.Equal(t, 3, w.holders(key, "back"), "the tombstone is gone")
		}
	})
}

func TestAContextSurvivesATripThroughText(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "k", "a", "b")
		text, err := w.get("k").Context.MarshalText()
		require.NoError(t, err)
		var back pairdb.CausalContext
		require.NoError(t, back.UnmarshalText(text))
		w.put("k", "c", pairdb.NoContext())
		w.put("k", "d", pairdb.After(back))
		require.Equal(t, []string{"c", "d"}, w.values("k"))
	})
}

func TestTheCallerMayChangeItsValueWhenPutHasReturned(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Freeze()
		value := []byte("before")
		_, err := w.shop.Put(t.Context(), "k", value, pairdb.NoContext())
		require.NoError(t, err)
		copy(value, "after!")
		w.Heal()
		synctest.Wait()
		require.Equal(t, 3, w.holders("k", "before"))
	})
}

func TestTheCallerMayChangeWhatGetReturned(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "before")
		obj := w.get("k")
		copy(obj.Value, "after!")
		require.Equal(t, "before", string(w.get("k").Value))
		require.Equal(t, 3, w.holders("k", "before"))
	})
}
