package pairdb_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
)

func TestAValueExpiresForReadersAndIsKeptAsASibling(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "v", pairdb.WithTTL(time.Minute))
		expires := time.Now().Add(time.Minute)
		obj := w.get("k")
		require.True(t, expires.Equal(obj.Expires))
		require.True(t, expires.Equal(obj.Siblings[0].Expires))
		time.Sleep(time.Minute - time.Millisecond)
		require.Equal(t, "v", string(w.get("k").Value))
		time.Sleep(time.Millisecond)
		obj, err := w.shop.Get(t.Context(), "k")
		require.ErrorIs(t, err, pairdb.ErrNotFound)
		require.Len(t, obj.Siblings, 1)
		require.True(t, obj.Siblings[0].Deleted)
		require.Equal(t, 3, w.holders("k", "v"), "it takes space until it is collected")
		w.put("k", "w", pairdb.After(obj.Context))
		require.Equal(t, []string{"w"}, w.values("k"))
		require.True(t, w.get("k").Expires.IsZero())
	})
}

func TestAnExpiredSiblingLeavesTheOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "lasting", pairdb.NoContext())
		w.put("k", "fleeting", pairdb.NoContext(), pairdb.WithTTL(time.Minute))
		obj := w.get("k")
		require.True(t, obj.Conflict())
		require.Equal(t, "fleeting", string(obj.Value))
		require.False(t, obj.Expires.IsZero())
		time.Sleep(time.Hour)
		obj = w.get("k")
		require.False(t, obj.Conflict())
		require.Equal(t, "lasting", string(obj.Value))
		require.Len(t, obj.Siblings, 2)
		require.True(t, obj.Expires.IsZero())
	})
}

func TestAnUpdateMayGiveALifetime(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		require.NoError(t, update("k", pairdb.WithTTL(time.Second))(t.Context(), w))
		synctest.Wait()
		require.Equal(t, []string{"v"}, w.values("k"))
		time.Sleep(time.Second)
		require.Empty(t, w.values("k"))
	})
}
