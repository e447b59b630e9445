package framed

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAPeerIsAskedBeforeItIsHungUpOnHoweverLateItIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := ends(t, 1<<10)
		go func() { _, _ = there.Receive() }() // it answers pings
		time.Sleep(13 * time.Second)           // as this process does that was stopped
		here.Watch(10*time.Second, 2*time.Second, true)
		ended := make(chan error, 1)
		go func() {
			_, err := here.Receive()
			ended <- err
		}()
		time.Sleep(time.Hour)
		require.Empty(t, ended)
	})
}

func TestAPeerThatIsAtWorkWithAMessageIsNotTakenForSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := ends(t, 64<<10)
		here.Watch(10*time.Second, 2*time.Second, true)
		there.Watch(45*time.Second, 15*time.Second, false)
		ended := make(chan error, 2)
		go func() {
			_, err := here.Receive()
			ended <- err
		}()
		require.NoError(t, here.Send(framed([]byte("much to do"))))
		_, err := there.Receive()
		require.NoError(t, err)
		time.Sleep(10 * time.Minute) // at a disk that hangs
		go func() {
			_, err := there.Receive()
			ended <- err
		}()
		time.Sleep(time.Hour)
		require.Empty(t, ended)
	})
}

// A thinPipe lets through little at a time.
type thinPipe struct{ net.Conn }

func (p thinPipe) Write(b []byte) (sent int, err error) {
	for len(b) > 0 && err == nil {
		time.Sleep(10 * time.Millisecond)
		var n int
		n, err = p.Conn.Write(b[:min(len(b), 10<<10)])
		sent, b = sent+n, b[n:]
	}
	return sent, err
}

func TestAPeerThatTakesALargeFrameSlowlyIsNotTakenForSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, 10<<10)
		here, there := New(thinPipe{a}), New(b)
		defer here.Close()
		defer there.Close()
		here.Watch(10*time.Second, 2*time.Second, true)
		go func() { _, _ = here.Receive() }()
		sent := make(chan error, 1)
		go func() { sent <- here.Send(framed(make([]byte, 24<<20))) }() // for 24 s
		body, err := there.Receive()
		require.NoError(t, err)
		require.Len(t, body, 24<<20)
		require.NoError(t, <-sent)
	})
}

func TestNothingIsReceivedOnceTheEndIsTold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // where who ends reads until the other has hung up
	require.NoError(t, err)
	defer l.Close()
	for range 20 {
		raw, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		accepted, err := l.Accept()
		require.NoError(t, err)
		here, there := New(raw), New(accepted)
		received := make(chan []byte, 1000)
		go func() {
			defer close(received)
			for {
				body, err := there.Receive()
				if err != nil {
					return
				}
				received <- bytes.Clone(body)
			}
		}()
		go there.End(errors.New("enough"))
		_, err = here.Receive()
		require.Error(t, err)
		for range 100 {
			if here.Send(framed(make([]byte, 3000))) != nil {
				break
			}
		}
		here.Close()
		for body := range received {
			require.Failf(t, "received", "%d bytes", len(body))
		}
	}
}
