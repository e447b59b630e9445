package pairdb

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAWaitEndsByWhateverComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chimes := newChimes()
		w, done := chimes.waiter(), make(chan struct{})
		began := time.Now()
		w.after(time.Now(), time.Second)
		require.Equal(t, rang, w.next(done))
		require.Equal(t, time.Second, time.Since(began))

		w.after(time.Now(), time.Second)
		time.AfterFunc(time.Millisecond, func() { close(done) })
		require.Equal(t, gone, w.next(done))

		for _, done := range []chan struct{}{nil, make(chan struct{})} {
			time.AfterFunc(time.Millisecond, w.wake)
			require.Equal(t, decided, w.next(done))
			w.stop()
			w.reset()
			w.after(time.Now(), time.Second)
		}
		w.stop()
	})
}

// The timer may ring at the very moment at which the request is decided, or its context ends.
func TestNothingOfARequestReachesTheNextThatWaitsWithItsWaiter(t *testing.T) {
	w := newChimes().waiter()
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

// The timer that was set for one wait goes off in another, which may be due before or after.
func TestEachWaitRingsAtItsOwnTimeWhateverItsTimerWasSetForBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newChimes().waiter()
		waits := []time.Duration{time.Second, 900 * time.Millisecond, time.Minute, 3 * time.Second, time.Millisecond, 2 * time.Second, 0}
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

func TestAChimeRingsForEachWaitAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chimes := newChimes()
		waiters := make([]chimeWaiter, 40*len(chimes.all))
		for i := range waiters {
			waiters[i] = chimes.waiter()
			waiters[i].after(time.Now(), time.Duration(1+i*7%len(waiters))*time.Millisecond) // later and earlier ones in turns
			if i%3 == 0 {
				waiters[i].stop()
			}
		}
		for at := 1; at <= len(waiters); at++ {
			time.Sleep(time.Millisecond)
			synctest.Wait()
			for i := range waiters {
				due := 1+i*7%len(waiters) == at && i%3 != 0
				require.Len(t, waiters[i].events, map[bool]int{true: 1}[due], "at %d ms, %d", at, i)
				if due {
					require.Equal(t, rang, waiters[i].next(nil))
				}
			}
		}
		for i := range chimes.all {
			require.Empty(t, chimes.all[i].waits)
			require.Zero(t, chimes.all[i].goes)
		}
	})
}

func TestAWaitWithoutEndHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chimes := newChimes()
		long, short := chimes.waiter(), chimes.waiter()
		short.chime = long.chime
		for range 2 { // also when it was the first that the chime was set for
			long.after(time.Now(), math.MaxInt64)
			short.after(time.Now(), time.Second)
			began := time.Now()
			require.Equal(t, rang, short.next(nil))
			require.Equal(t, time.Second, time.Since(began))
			require.Empty(t, long.events)
			long.stop()
		}
	})
}

// Its own chime's timer is set by the present, not by the caller's reading, which may be old.
func TestAChimeIsNotLateForWhatItsCallersReadingWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chimes := newChimes()
		w := chimes.waiter()
		read := time.Now()
		time.Sleep(700 * time.Millisecond)
		w.after(read, time.Second)
		require.Equal(t, rang, w.next(nil))
		require.Equal(t, time.Second, time.Since(read))
	})
}
