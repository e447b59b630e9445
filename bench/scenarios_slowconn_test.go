package main

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/memnet"
)

func TestASlowConnectionDeliversEachChunkItsDelayLateAndTheDelaysDoNotAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := slowPair(t, 50*time.Millisecond)
		start := time.Now()
		for _, text := range []string{"a", "b", "c"} {
			_, err := far.Write([]byte(text))
			require.NoError(t, err)
			time.Sleep(10 * time.Millisecond)
		}
		b := make([]byte, 1)
		for i, text := range []string{"a", "b", "c"} {
			_, err := io.ReadFull(near, b)
			require.NoError(t, err)
			require.Equal(t, text, string(b))
			require.Equal(t, time.Duration(50+10*i)*time.Millisecond, time.Since(start))
		}
	})
}

func TestASlowConnectionSendsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := slowPair(t, time.Hour)
		start := time.Now()
		_, err := near.Write([]byte("x"))
		require.NoError(t, err)
		_, err = io.ReadFull(far, make([]byte, 1))
		require.NoError(t, err)
		require.Zero(t, time.Since(start))
	})
}

func TestASlowConnectionEndsAfterWhatItHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := slowPair(t, time.Second)
		_, err := far.Write([]byte("last words"))
		require.NoError(t, err)
		require.NoError(t, far.Close())
		got, err := io.ReadAll(near)
		require.NoError(t, err)
		require.Equal(t, "last words", string(got))
	})
}

func TestClosingASlowConnectionEndsItsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := slowPair(t, time.Hour)
		_, err := far.Write([]byte("x"))
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { _ = near.Close() })
		_, err = near.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func slowPair(t *testing.T, delay time.Duration) (near, far net.Conn) {
	t.Helper()
	l := memnet.Listen(64 << 10)
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	c, err := l.DialContext(t.Context())
	require.NoError(t, err)
	near, far = newSlowConn(c, delay), <-accepted
	t.Cleanup(func() { _ = near.Close(); _ = far.Close(); _ = l.Close() })
	return near, far
}
