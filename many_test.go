package pairdb_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
)

func TestManyKeysAreWrittenAndReadInTheOrderGiven(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var items []pairdb.Item
		var keys []string
		for i := range 200 { // more than are under way at once
			key := "k" + strconv.Itoa(i)
			items = append(items, pairdb.Item{Key: key, Value: []byte("v" + strconv.Itoa(i))})
			keys = append(keys, key)
		}
		put := w.shop.PutMany(t.Context(), items)
		require.NoError(t, put.FirstErr())
		require.Len(t, put, len(items))
		keys = append(keys, "absent", "k0")
		got := w.shop.GetMany(t.Context(), keys)
		require.NoError(t, got.FirstErr(), "not found is none")
		for i, r := range got[:200] {
			require.NoError(t, r.Err)
			require.Equal(t, keys[i], r.Object.Key)
			require.Equal(t, "v"+strconv.Itoa(i), string(r.Object.Value))
			require.Equal(t, put[i].Receipt.Context, r.Object.Context)
		}
		require.Equal(t, pairdb.ErrNotFound, got[200].Err)
		require.Equal(t, "v0", string(got[201].Object.Value), "a key may come twice")
	})
}

func TestOneKeyThatFailsDoesNotFailTheRest(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		put := w.shop.PutMany(t.Context(), []pairdb.Item{{Key: "a"}, {Key: ""}, {Key: "c"}})
		require.NoError(t, put[0].Err)
		require.ErrorIs(t, put[1].Err, pairdb.ErrInvalid)
		require.NoError(t, put[2].Err)
		got := w.shop.GetMany(t.Context(), []string{"a", "", "c"})
		require.NoError(t, got[0].Err)
		require.ErrorIs(t, got.FirstErr(), pairdb.ErrInvalid)
		require.NoError(t, got[2].Err)
	})
}

func TestAnItemsOptionsComeAfterTheCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		old := w.put("a", "1").Context
		w.put("b", "1")
		put := w.shop.PutMany(t.Context(), []pairdb.Item{
			{Key: "a", Value: []byte("2"), Opts: []pairdb.WriteOption{pairdb.After(old)}},
			{Key: "b", Value: []byte("2"), Opts: []pairdb.WriteOption{pairdb.NoContext()}},
			{Key: "c", Value: []byte("2"), Opts: []pairdb.WriteOption{pairdb.WithTTL(time.Hour)}},
		}, pairdb.AtLevel(pairdb.All), pairdb.WithTTL(time.Minute))
		require.NoError(t, put.FirstErr())
		require.True(t, w.get("a").Expires.Equal(time.Now().Add(time.Minute)))
		require.True(t, w.get("c").Expires.Equal(time.Now().Add(time.Hour)))
		require.Equal(t, 3, put[0].Receipt.Acked)
		require.Equal(t, []string{"2"}, w.values("a"))
		require.Equal(t, []string{"1", "2"}, w.values("b"))
	})
}

func TestNothingOfNothingIsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		require.Empty(t, w.shop.GetMany(t.Context(), nil))
		require.Empty(t, w.shop.PutMany(t.Context(), nil))
	})
}

func TestOwnersAreTheNodesThatHoldTheKeyInPreferenceOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		owners, err := w.shop.Owners("k")
		require.NoError(t, err)
		require.Len(t, owners, 3)
		for i, n := range w.Owners("shop", "k") {
			require.Equal(t, n.ID(), owners[i].ID)
			require.Equal(t, n.Addr(), owners[i].Addr)
		}
		_, err = w.shop.Owners("")
		require.ErrorIs(t, err, pairdb.ErrInvalid)
		_, err = w.client.Tenant("").Owners("k")
		require.ErrorIs(t, err, pairdb.ErrInvalid)
		require.Equal(t, "shop", w.shop.ID())
		synctest.Wait()
		require.Zero(t, w.sent())
	})
}
