package node

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnAlarmRingsOnceForEachThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rung := 0
		a := newAlarm(10*time.Second, func() { rung++ })
		step := func(d time.Duration) int {
			time.Sleep(d)
			synctest.Wait()
			return rung
		}
		for range 25 { // many that are quick
			a.begin(time.Now())
			require.Zero(t, step(time.Second))
			a.end()
		}
		a.begin(time.Now())
		require.Zero(t, step(9*time.Second))
		a.begin(time.Now()) // goes on since the first
		require.Equal(t, 1, step(time.Second))
		require.Equal(t, 1, step(time.Hour))
		a.begin(time.Now())
		require.Equal(t, 2, step(10*time.Second))
		a.begin(time.Now().Add(-time.Minute)) // looks when it was set to
		require.Equal(t, 3, step(10*time.Second))
		a.begin(time.Now())
		a.stop()
		a.begin(time.Now())
		require.Equal(t, 3, step(time.Hour))
	})
}
