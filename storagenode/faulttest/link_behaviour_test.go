//go:build unix

package faulttest

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// echo is a server that answers every byte with itself, through a link.
func echo(t *testing.T) (l *link, dial func() net.Conn) {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); _, _ = io.Copy(conn, conn) }()
		}
	}()
	l, err = newLink(func() string { return server.Addr().String() })
	require.NoError(t, err)
	t.Cleanup(func() { l.close(); _ = server.Close() })
	return l, func() net.Conn {
		conn, err := net.Dial("tcp", l.addr())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	_, err := conn.Write([]byte(text))
	require.NoError(t, err)
}

func hear(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	_, err := io.ReadFull(conn, got)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
}

func requireBroken(t *testing.T, conn net.Conn) {
	t.Helper()
	_, err := conn.Read(make([]byte, 1))
	require.Error(t, err)
}

func TestALinkThatRefusesBreaksConnectionsAndTheNextOnes(t *testing.T) {
	l, dial := echo(t)
	conn := dial()
	say(t, conn, "a")
	hear(t, conn, "a")
	l.set(cut{refuse: true})
	requireBroken(t, conn)
	requireBroken(t, dial())
	l.set(cut{})
	conn = dial()
	say(t, conn, "b")
	hear(t, conn, "b")
}

func TestWhatALinkHeldArrivesWhenItIsHealed(t *testing.T) {
	for _, how := range []cut{{requests: held}, {answers: held}, {requests: held, answers: held}} {
		l, dial := echo(t)
		conn := dial()
		say(t, conn, "a")
		hear(t, conn, "a")
		l.set(how)
		say(t, conn, "b")
		l.set(cut{})
		hear(t, conn, "b")
	}
}

func TestALinkThatLostBytesBreaksWhenItIsHealed(t *testing.T) {
	for _, how := range []cut{{requests: lost}, {answers: lost}} {
		l, dial := echo(t)
		conn := dial()
		l.set(how)
		say(t, conn, "a")
		require.Eventually(t, func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			for w := range l.wires {
				return w.lossy
			}
			return false
		}, readyLimit, pace)
		l.set(cut{})
		requireBroken(t, conn)
	}
}

func TestALinkBreaksAfterTheRequestWasSentAndBeforeItsAnswer(t *testing.T) {
	l, dial := echo(t)
	conn := dial()
	say(t, conn, "a")
	hear(t, conn, "a")
	l.set(cut{answers: lost, breakAfter: 1})
	say(t, conn, "b")
	requireBroken(t, conn)
	requireBroken(t, dial())
}
