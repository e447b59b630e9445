package pairdb

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAWaitEndsByWhateverComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, done := newWaiter(), make(chan struct{})
		began := time.Now()
		w.after(time.Second)
		require.Equal(t, rang, w.next(done))
		require.Equal(t, time.Second, time.Since(began))

		w.after(time.Second)
		time.AfterFunc(time.Millisecond, func() { close(done) })
		require.Equal(t, gone, w.next(done))

		for _, done := range []chan struct{}{nil, make(chan struct{})} {
			time.AfterFunc(time.Millisecond, w.wake)
			require.Equal(t, decided, w.next(done))
			w.stop()
			w.reset()
			w.after(time.Second)
		}
		w.stop()
	})
}

// The timer may ring at the very moment at which the request is decided, or its context ends.
func TestNothingOfARequestReachesTheNextThatWaitsWithItsWaiter(t *testing.T) {
	w := newWaiter()
	done := make(chan struct{})
	close(done)
	for i := range 10_000 {
		w.after(time.Duration(i%50) * time.Microsecond)
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
