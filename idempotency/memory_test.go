package idempotency_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/idempotencytest"
	"github.com/devrev/pairdb/vclock"
)

func TestMemoryKeepsTheContractOfAStore(t *testing.T) {
	idempotencytest.Run(t, func(*testing.T) idempotency.Store {
		return idempotency.NewMemory(0)
	}, idempotencytest.InBubble())
}

func TestMemoryKeepsTheContractOfAStoreInRealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for times to live")
	}
	shared := idempotency.NewMemory(0)
	idempotencytest.Run(t, func(*testing.T) idempotency.Store { return shared })
}

// numbered are keys that differ in their token.
func numbered(n int) idempotency.Key {
	key := goodKey
	key.Token = fmt.Sprint(n)
	return key
}

func TestAFullMemoryRefusesWhatNeedsAPlaceAndDropsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ctx, i := idempotency.NewMemory(3), t.Context(), put("abc")
		for n := range 3 {
			_, _, err := m.Begin(ctx, numbered(n), i, time.Hour)
			require.NoError(t, err)
		}
		_, mine, err := m.Begin(ctx, numbered(3), i, time.Hour)
		require.ErrorIs(t, err, idempotency.ErrFull)
		require.False(t, mine)
		_, _, err = m.Replace(ctx, numbered(3), vclock.Dot{}, i, time.Hour)
		require.ErrorIs(t, err, idempotency.ErrFull)
		require.ErrorIs(t, m.Complete(ctx, numbered(3), i, idempotency.Result{}, time.Hour), idempotency.ErrFull)

		for n := range 3 { // what has a place goes on
			_, mine, err := m.Begin(ctx, numbered(n), i, time.Hour)
			require.NoError(t, err)
			require.True(t, mine)
			require.NoError(t, m.Complete(ctx, numbered(n), i, idempotency.Result{}, 2*time.Hour))
		}
		time.Sleep(2*time.Hour - 1)
		_, _, err = m.Begin(ctx, numbered(3), i, time.Hour)
		require.ErrorIs(t, err, idempotency.ErrFull, "a nanosecond before they expire")
		time.Sleep(time.Nanosecond)
		_, mine, err = m.Begin(ctx, numbered(3), i, time.Hour)
		require.NoError(t, err)
		require.True(t, mine)
	})
}

func TestExpiredRecordsGiveUpTheirPlacesAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const records = 1000
		m, ctx, i := idempotency.NewMemory(records), t.Context(), put("abc")
		for n := range records { // the later ones expire first
			_, _, err := m.Begin(ctx, numbered(n), i, time.Duration(2*records-n)*time.Second)
			require.NoError(t, err)
		}
		time.Sleep(2 * records * time.Second)
		require.Equal(t, records, m.Len())
		for n := range records {
			before := m.Len()
			_, mine, err := m.Begin(ctx, numbered(records+n), i, time.Hour)
			require.NoError(t, err)
			require.True(t, mine)
			require.LessOrEqual(t, before-m.Len(), 7, "eight are cleared away, one is added")
		}
		require.Equal(t, records, m.Len())
		for n := range records {
			_, found, err := m.Lookup(ctx, numbered(records+n))
			require.NoError(t, err)
			require.True(t, found)
		}
	})
}

func TestRecordsThatWereRenewedAreClearedAwayInTheirNewOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ctx, i := idempotency.NewMemory(2), t.Context(), put("abc")
		for n := range 2 {
			_, _, err := m.Begin(ctx, numbered(n), i, time.Duration(n+1)*time.Minute)
			require.NoError(t, err)
		}
		require.NoError(t, m.Complete(ctx, numbered(0), i, idempotency.Result{}, time.Hour))
		time.Sleep(2 * time.Minute)
		_, _, err := m.Begin(ctx, numbered(2), i, time.Hour)
		require.NoError(t, err)
		_, found, err := m.Lookup(ctx, numbered(0))
		require.NoError(t, err)
		require.True(t, found)
	})
}

func TestAMemoryHasAPlaceAsLongAsARecordHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const places, steps = 12, 20_000
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		m, ctx, i := idempotency.NewMemory(places), t.Context(), put("abc")
		expires := make(map[int]time.Time)
		full := 0
		for n := range steps {
			time.Sleep(time.Duration(random.IntN(3)) * time.Second)
			maps.DeleteFunc(expires, func(_ int, at time.Time) bool { return !at.After(time.Now()) })
			key, ttl := random.IntN(2*places), time.Duration(1+random.IntN(30))*time.Second
			err := m.Complete(ctx, numbered(key), i, idempotency.Result{}, ttl)
			if _, has := expires[key]; !has && len(expires) == places {
				full++
				require.ErrorIs(t, err, idempotency.ErrFull, "seed %d, step %d", seed, n)
				continue
			}
			require.NoError(t, err, "seed %d, step %d", seed, n)
			expires[key] = time.Now().Add(ttl)
		}
		require.Positive(t, full)
	})
}

func TestMemoryIsNotChangedThroughTheValueItWasGiven(t *testing.T) {
	m, ctx, i := idempotency.NewMemory(0), t.Context(), put("abc")
	_, _, err := m.Begin(ctx, goodKey, i, time.Hour)
	require.NoError(t, err)
	i.State.Siblings[0].Value[0] = 'X'
	rec, _, err := m.Lookup(ctx, goodKey)
	require.NoError(t, err)
	require.Equal(t, "abc", string(rec.Intent.State.Siblings[0].Value))
}

func BenchmarkMemoryBeginAndComplete(b *testing.B) {
	m, ctx, i := idempotency.NewMemory(0), b.Context(), put("abc")
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		key := numbered(n)
		if _, _, err := m.Begin(ctx, key, i, time.Millisecond); err != nil {
			b.Fatal(err)
		}
		if err := m.Complete(ctx, key, i, idempotency.Result{}, time.Millisecond); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFingerprintOf(b *testing.B) {
	r := goldenPrints[2].request
	b.ReportAllocs()
	for b.Loop() {
		idempotency.FingerprintOf(r)
	}
}
