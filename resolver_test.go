package pairdb_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
)

// joined is a resolver that keeps all values.
func joined(_ string, live []pairdb.Sibling) ([]byte, error) {
	var all [][]byte
	for _, s := range live {
		all = append(all, s.Value)
	}
	return bytes.Join(all, []byte("+")), nil
}

func TestLatestWriteTakesTheNewestAndPrefersTheLiving(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "a", pairdb.NoContext())
		w.put("k", "b", pairdb.NoContext())
		_, err := w.shop.Delete(t.Context(), "k", pairdb.NoContext())
		require.NoError(t, err)
		synctest.Wait()
		obj := w.get("k")
		require.Equal(t, "b", string(obj.Value), "the tombstone is newer, and loses")
		require.Len(t, obj.Siblings, 3)
		require.True(t, obj.Siblings[2].Deleted, "oldest first")
	})
}

func TestRefuseConflictsHandsOverTheSiblingsAndTheContext(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "k", "a", "b")
		obj, err := w.shop.Get(t.Context(), "k")
		require.ErrorIs(t, err, pairdb.ErrConflict)
		requireNoOutcome(t, err)
		require.False(t, pairdb.Retryable(err))
		require.False(t, obj.Found())
		require.True(t, obj.Conflict())
		require.Len(t, obj.Siblings, 2)
		requireOneOutcome(t, update("k")(t.Context(), w), pairdb.ErrNotApplied)
		w.put("k", "settled", pairdb.After(obj.Context))
		require.Equal(t, "settled", string(w.get("k").Value))
		require.EqualValues(t, 2, w.client.Stats().Conflicts)
	}, pairdb.WithResolver(pairdb.RefuseConflicts))
}

func TestAResolverSeesTheLiveSiblingsOldestFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "a", pairdb.NoContext())
		_, err := w.shop.Delete(t.Context(), "k", pairdb.NoContext())
		require.NoError(t, err)
		w.put("k", "b", pairdb.NoContext())
		w.put("k", "c", pairdb.NoContext())
		obj := w.get("k", pairdb.ResolveWith(joined))
		require.Equal(t, "a+b+c", string(obj.Value))
		require.True(t, obj.Found())
		require.True(t, obj.Expires.IsZero())
		require.Equal(t, "c", string(w.get("k").Value), "for that call alone")
	})
}

func TestAResolverIsNotAskedWhereNothingConflicts(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "a")
		require.Equal(t, "a", string(w.get("k").Value))
		require.ErrorIs(t, get("absent")(t.Context(), w), pairdb.ErrNotFound)
	}, pairdb.WithResolver(func(string, []pairdb.Sibling) ([]byte, error) { panic("asked") }))
}

func TestAResolversErrorFailsTheCallAndCanBeTested(t *testing.T) {
	torn := errors.New("cannot merge")
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "k", "a", "b")
		obj, err := w.shop.Get(t.Context(), "k")
		require.ErrorIs(t, err, torn)
		require.EqualError(t, err, `pairdb: get shop/"k": resolver: cannot merge`)
		require.Len(t, obj.Siblings, 2)
		require.False(t, obj.Context.IsZero())
	}, pairdb.WithResolver(func(string, []pairdb.Sibling) ([]byte, error) { return nil, torn }))
}
