package pairdb_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
)

type cart struct{ Items []string }

func union(a, b cart) (cart, error) {
	items := slices.Concat(a.Items, b.Items)
	slices.Sort(items)
	return cart{slices.Compact(items)}, nil
}

func carts(w *world) *pairdb.Typed[cart] { return pairdb.NewTyped(w.shop, pairdb.JSON[cart]{}, union) }

func TestTypedValuesGoThereAndBack(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		r, err := carts(w).Put(t.Context(), "k", cart{[]string{"apples"}})
		require.NoError(t, err)
		got, err := carts(w).Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, cart{[]string{"apples"}}, got.Value)
		require.Equal(t, r.Context, got.Context)
		_, err = carts(w).Delete(t.Context(), "k", pairdb.After(got.Context))
		require.NoError(t, err)
		got, err = carts(w).Get(t.Context(), "k")
		require.Equal(t, pairdb.ErrNotFound, err)
		require.Zero(t, got.Value)
		require.False(t, got.Context.IsZero())
	})
}

func TestTypedSiblingsAreMergedAndTheMergeIsWhatAnUpdateGets(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "k", `{"Items":["apples","pears"]}`, `{"Items":["pears","plums"]}`, `{"Items":["figs"]}`)
		got, err := carts(w).Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, []string{"apples", "figs", "pears", "plums"}, got.Value.Items)
		require.True(t, got.Conflict())
		_, err = carts(w).Update(t.Context(), "k", func(obj pairdb.TypedObject[cart]) (cart, error) {
			return cart{append(obj.Value.Items, "quinces")}, nil
		})
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 3, w.holders("k", `{"Items":["apples","figs","pears","plums","quinces"]}`))
	})
}

func TestWithoutAMergeTypedConflictsAreTheClientsToResolve(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "k", `{"Items":["a"]}`, `{"Items":["b"]}`)
		_, err := pairdb.NewTyped[cart](w.shop, pairdb.JSON[cart]{}, nil).Get(t.Context(), "k")
		require.ErrorIs(t, err, pairdb.ErrConflict)
		got, err := carts(w).Get(t.Context(), "k", pairdb.ResolveWith(pairdb.LatestWrite))
		require.NoError(t, err, "the call's resolver comes before the merge")
		require.Equal(t, []string{"b"}, got.Value.Items)
	}, pairdb.WithResolver(pairdb.RefuseConflicts))
}

func TestAValueThatDoesNotDecodeIsAnErrorWithTheObjectAsItIs(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "no JSON")
		got, err := carts(w).Get(t.Context(), "k")
		requireNoOutcome(t, err)
		_, ok := errors.AsType[*json.SyntaxError](err)
		require.True(t, ok)
		require.Equal(t, "no JSON", string(got.Object.Value))
		_, err = carts(w).Update(t.Context(), "k", func(pairdb.TypedObject[cart]) (cart, error) { panic("called") })
		requireOneOutcome(t, err, pairdb.ErrNotApplied)

		w.Plant("shop", "torn", `{}`, `no JSON`)
		_, err = carts(w).Get(t.Context(), "torn")
		_, ok = errors.AsType[*json.SyntaxError](err)
		require.True(t, ok)
	})
}

// mute is a codec that cannot encode.
type mute struct{ pairdb.JSON[cart] }

var errMute = errors.New("mute")

func (mute) Encode(cart) ([]byte, error) { return nil, errMute }

func TestAValueThatDoesNotEncodeIsNotApplied(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		typed := pairdb.NewTyped[cart](w.shop, mute{}, nil)
		_, put := typed.Put(t.Context(), "k", cart{})
		_, update := typed.Update(t.Context(), "k", func(pairdb.TypedObject[cart]) (cart, error) { return cart{}, nil })
		for _, err := range []error{put, update} {
			requireOneOutcome(t, err, pairdb.ErrNotApplied)
			require.ErrorIs(t, err, errMute)
			require.NotContains(t, err.Error(), "\n")
		}
		require.Zero(t, w.applied())
	})
}

func TestATypedUpdateMaySkipDeleteAndFail(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		returning := func(err error) func(pairdb.TypedObject[cart]) (cart, error) {
			return func(pairdb.TypedObject[cart]) (cart, error) { return cart{}, err }
		}
		w.put("k", "{}")
		_, err := carts(w).Update(t.Context(), "k", returning(pairdb.SkipWrite))
		require.NoError(t, err)
		_, err = carts(w).Update(t.Context(), "k", returning(context.Canceled))
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, []string{"{}"}, w.values("k"))
		_, err = carts(w).Update(t.Context(), "k", returning(pairdb.DeleteKey))
		require.NoError(t, err)
		require.Empty(t, w.values("k"))
	})
}
