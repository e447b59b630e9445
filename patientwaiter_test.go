package pairdb

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A timer that was left running for one wait goes off in another, which may be due before or after.
func TestEachWaitRingsAtItsOwnTimeWhateverItsTimerWasSetForBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPatientWaiter()
		waits := []time.Duration{
			time.Second, 900 * time.Millisecond, time.Minute, 3 * time.Second, time.Millisecond, 2 * time.Second, lazyFrom, lazyTo, 0,
		}
		for i := range len(waits) * len(waits) * 4 {
			decidedAfter, rings := waits[i%len(waits)], waits[i/len(waits)%len(waits)]
			began := time.Now()
			w.after(began, decidedAfter+1) // is decided first
			time.AfterFunc(decidedAfter, w.wake)
			require.Equal(t, decided, w.next(nil))
			w.stop()
			w.reset()

			began = time.Now()
			w.after(began, rings)
			require.Equal(t, rang, w.next(nil))
			require.Equal(t, rings, time.Since(began))
			w.wake()
			w.stop()
			w.reset()
			require.Empty(t, w.events)
		}
	})
}

// The timer may ring at the very moment at which the request is decided, or its context ends.
func TestNothingOfAWriteReachesTheNextThatWaitsWithItsWaiter(t *testing.T) {
	w := newPatientWaiter()
	done := make(chan struct{})
	close(done)
	for i := range 10_000 {
		w.after(time.Now(), time.Duration(i%50)*time.Microsecond)
		go w.wake()
		switch i % 3 {
		case 0:
			w.next(nil)
		case 1:
			w.next(done)
		}
		w.stop()
		w.reset()
		require.False(t, w.armed || w.taken)
		require.Empty(t, w.events)
	}
}

// A timer that is left running may go off just while another wait begins or ends.
func TestATimerThatWasLeftRunningDisturbsNoOtherWait(t *testing.T) {
	w := newPatientWaiter()
	for i := range 3_000 {
		w.after(time.Now(), time.Hour)
		w.brief = false // so that stop leaves it
		w.timer.Reset(time.Duration(i%50) * time.Microsecond)
		go w.wake()
		require.Equal(t, decided, w.next(nil))
		w.stop()
		w.reset()
		require.Empty(t, w.events)

		w.after(time.Now(), time.Duration(i%40)*time.Microsecond)
		w.brief = false
		require.Equal(t, rang, w.next(nil))
		w.wake()
		w.stop()
		w.reset()
		require.Empty(t, w.events)
	}
}
