package pairdbtest

import (
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// pair is a connection whose near end reads through the gate.
func pair(t *testing.T, g *gate) (near *conn, far net.Conn) {
	a, b := net.Pipe()
	near = newConn(a, []*gate{g}, []*gate{g}, func(*conn) {})
	t.Cleanup(func() {
		_ = near.Close()
		_ = b.Close()
	})
	return near, b
}

func TestAShutGateHoldsBytesBackAndLosesNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		near, far := pair(t, &g)
		read := make(chan string, 1)
		go func() {
			p := make([]byte, 10)
			n, _ := near.Read(p)
			read <- string(p[:n])
		}()
		synctest.Wait() // it is in Read already when the gate shuts
		g.close()
		_, err := far.Write([]byte("held"))
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, read)
		g.open()
		require.Equal(t, "held", <-read)
	})
}

func TestAReadThatMeetsItsDeadlineAtAGateKeepsItsBytesForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		near, far := pair(t, &g)
		g.close()
		require.NoError(t, near.SetReadDeadline(time.Now().Add(time.Second)))
		go func() { _, _ = far.Write([]byte("kept")) }()
		began, p := time.Now(), make([]byte, 2)
		_, err := near.Read(p)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
		require.NoError(t, near.SetReadDeadline(time.Time{}))
		g.open()
		for _, want := range []string{"ke", "pt"} {
			n, err := near.Read(p)
			require.NoError(t, err)
			require.Equal(t, want, string(p[:n]))
		}
	})
}

func TestTheEndOfAConnectionIsHeldBackToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		near, far := pair(t, &g)
		g.close()
		ended := make(chan error, 1)
		go func() {
			_, err := near.Read(make([]byte, 1))
			ended <- err
		}()
		_ = far.Close()
		synctest.Wait()
		require.Empty(t, ended)
		g.open()
		require.Error(t, <-ended)
	})
}

func TestClosingFreesWhoWaitsAtAGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		near, _ := pair(t, &g)
		g.close()
		done := make(chan error, 1)
		go func() {
			_, err := near.Write([]byte("x"))
			done <- err
		}()
		synctest.Wait()
		_ = near.Close()
		require.ErrorIs(t, <-done, net.ErrClosed)
	})
}

func TestAWriteDeadlineEndsAWaitAtAGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		near, _ := pair(t, &g)
		g.close()
		require.NoError(t, near.SetDeadline(time.Now().Add(time.Hour)))
		require.NoError(t, near.SetWriteDeadline(time.Now().Add(time.Second)))
		began := time.Now()
		_, err := near.Write([]byte("x"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
	})
}
