package memnet

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func pair(t *testing.T, size int) (near, far net.Conn) {
	t.Helper()
	l := Listen(size)
	accepted := make(chan net.Conn)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	near, err := l.DialContext(t.Context())
	require.NoError(t, err)
	return near, <-accepted
}

func TestBytesArriveInOrderThroughASmallBuffer(t *testing.T) {
	near, far := pair(t, 7)
	sent := bytes.Repeat([]byte("0123456789"), 1000)
	go func() {
		_, _ = near.Write(sent)
		_ = near.Close()
	}()
	got, err := io.ReadAll(far)
	require.NoError(t, err)
	require.Equal(t, sent, got)
}

func TestWhatWasWrittenBeforeClosingCanBeRead(t *testing.T) {
	near, far := pair(t, 100)
	_, err := near.Write([]byte("last words"))
	require.NoError(t, err)
	require.NoError(t, near.Close())
	_, err = far.Write([]byte("x"))
	require.Error(t, err)
	got, err := io.ReadAll(far)
	require.NoError(t, err)
	require.Equal(t, "last words", string(got))
	_, err = near.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestDeadlinesPassAndMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, 1)
		start := time.Now()
		require.NoError(t, near.SetReadDeadline(start.Add(time.Second)))
		_, err := near.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))

		require.NoError(t, near.SetDeadline(time.Time{}))
		_, err = far.Write([]byte("a"))
		require.NoError(t, err)
		_, err = near.Read(make([]byte, 1))
		require.NoError(t, err)

		require.NoError(t, near.SetWriteDeadline(time.Now().Add(-time.Second)))
		_, err = near.Write([]byte("b"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, near.Close())
	})
}

func TestAClosedListenerAcceptsAndIsDialledNoMore(t *testing.T) {
	l := Listen(1)
	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	_, err := l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = l.DialContext(t.Context())
	require.ErrorIs(t, err, net.ErrClosed)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Listen(1).DialContext(ended)
	require.ErrorIs(t, err, context.Canceled)
}
