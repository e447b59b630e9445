package framed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/devrev/pairdb/internal/memnet"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair returns the two ends of a connection that holds size bytes.
func pair(tb testing.TB, size int) (here, there net.Conn) {
	l := memnet.Listen(size)
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := l.Accept()
		accepted <- conn
	}()
	here, err := l.DialContext(tb.Context())
	require.NoError(tb, err)
	return here, <-accepted
}

func ends(tb testing.TB, size int) (here, there *Conn) {
	a, b := pair(tb, size)
	here, there = New(a), New(b)
	tb.Cleanup(here.Close)
	tb.Cleanup(there.Close)
	return here, there
}

func framed(body []byte) []byte { return append(make([]byte, HeaderBytes), body...) }

func TestFramesOfAnySizeArriveWholeAndInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var sent [][]byte
		for range rapid.IntRange(1, 20).Draw(rt, "frames") {
			n := rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(0, 20_000), rapid.IntRange(mostBuffer-2, mostBuffer+3),
				rapid.IntRange(0, 3*mostBuffer)).Draw(rt, "size")
			sent = append(sent, bytes.Repeat([]byte{byte(len(sent))}, n))
		}
		here, there := ends(t, rapid.SampledFrom([]int{16 << 10, 64 << 10, 1 << 20}).Draw(rt, "wire"))
		go func() {
			for _, body := range sent {
				if here.Send(framed(body)) != nil {
					return
				}
			}
			here.End(nil)
		}()
		var kept [][]byte
		for _, want := range sent {
			got, err := there.Receive()
			require.NoError(rt, err)
			require.Equal(rt, len(want), len(got))
			if !there.Owned() {
				got = bytes.Clone(got)
			}
			kept = append(kept, got)
		}
		_, err := there.Receive()
		require.Equal(rt, io.EOF, err)
		for i, want := range sent {
			require.True(rt, bytes.Equal(want, kept[i]), "frame %d was overwritten", i)
		}
	})
}

func TestThePeerIsToldWhyAConnectionEnds(t *testing.T) {
	here, there := ends(t, 1<<10)
	go here.End(status.Error(codes.FailedPrecondition, "this is node \"n2\""))
	_, err := there.Receive()
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	require.ErrorContains(t, err, "n2")
}

func TestWhatWasSentBeforeTheEndIsReadAlthoughTheOtherSideHasUnreadBytes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // where unread bytes make the system forget those that were sent
	require.NoError(t, err)
	defer l.Close()
	go func() {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		there := New(raw)
		_ = there.Send(framed([]byte("last words")))
		there.End(status.Error(codes.Unavailable, "stopping"))
	}()
	raw, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	here := New(raw)
	defer here.Close()
	for range 100 {
		require.NoError(t, here.Send(framed(make([]byte, 1000))))
	}
	got, err := here.Receive()
	require.NoError(t, err)
	require.Equal(t, "last words", string(got))
	_, err = here.Receive()
	require.Equal(t, codes.Unavailable, status.Code(err))
}

func TestAConnectionThatIsCutInAFrameDoesNotLookDone(t *testing.T) {
	for name, cut := range map[string]int{"in the header": 3, "after the header": HeaderBytes, "in the body": 8} {
		t.Run(name, func(t *testing.T) {
			raw, other := pair(t, 1<<10)
			frame := framed([]byte("whole"))
			putHeader(frame, message)
			_, err := raw.Write(frame[:cut])
			require.NoError(t, err)
			require.NoError(t, raw.Close())
			there := New(other)
			defer there.Close()
			_, err = there.Receive()
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		})
	}
}

func TestAFrameThatIsClaimedToBeHugeIsRefused(t *testing.T) {
	raw, other := pair(t, 1<<10)
	defer raw.Close()
	header := binary.BigEndian.AppendUint32([]byte{message}, MaxFrameBytes+1)
	_, err := raw.Write(header)
	require.NoError(t, err)
	there := New(other)
	defer there.Close()
	_, err = there.Receive()
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
}

func TestAPromiseOfManyBytesTakesNoMemoryBeforeTheyCome(t *testing.T) {
	raw, other := pair(t, 1<<10)
	there := New(other)
	defer there.Close()
	_, err := raw.Write(append(binary.BigEndian.AppendUint32([]byte{message}, MaxFrameBytes), "a few"...))
	require.NoError(t, err)
	require.NoError(t, raw.Close())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = there.Receive()
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(MaxFrameBytes/8))
}

func TestAServerOfAnotherProtocolIsKnownAtItsFirstByte(t *testing.T) {
	for name, answer := range map[string]string{"HTTP/2 settings": "\x00\x00\x06\x04", "HTTP/1": "HTTP/1.1 400 Bad Request\r\n", "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			raw, other := pair(t, 1<<10)
			defer raw.Close()
			_, err := io.WriteString(other, answer)
			require.NoError(t, err)
			require.NoError(t, other.Close())
			_, err = Client(raw, framed(nil))
			require.ErrorIs(t, err, ErrPreface)
		})
	}
}

func TestAPeerThatAnswersPingsIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := ends(t, 1<<10)
		here.Watch(10*time.Second, 2*time.Second, true)
		there.Watch(45*time.Second, 15*time.Second, false)
		got := make(chan string, 1)
		go func() {
			b, _ := there.Receive()
			got <- string(b)
		}()
		go func() { _, _ = here.Receive() }() // the pongs
		time.Sleep(time.Hour)
		require.NoError(t, here.Send(framed([]byte("still here"))))
		require.Equal(t, "still here", <-got)
	})
}

func TestAPeerThatSaysNothingIsHungUpOn(t *testing.T) {
	for name, ping := range map[string]bool{"asked": true, "waited for": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, _ := ends(t, 1<<10)
				began := time.Now()
				here.Watch(10*time.Second, 2*time.Second, ping)
				_, err := here.Receive()
				require.ErrorIs(t, err, ErrSilent)
				require.Equal(t, 12*time.Second, time.Since(began))
				require.ErrorIs(t, here.Send(framed(nil)), ErrSilent)
			})
		})
	}
}

func TestAPeerThatTakesNothingIsHungUpOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, _ := ends(t, 1<<10)
		here.Watch(10*time.Second, 2*time.Second, true)
		require.ErrorIs(t, here.Send(framed(make([]byte, 1<<20))), ErrSilent)
	})
}

func TestAConnectionThatWasClosedSaysSo(t *testing.T) {
	here, there := ends(t, 1<<10)
	here.Close()
	require.ErrorIs(t, here.Send(framed(nil)), net.ErrClosed)
	_, err := here.Receive()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = there.Receive()
	require.Equal(t, io.EOF, err)
}

func FuzzBytesOfAnyKindEndInAnError(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x05hello\x02\x00\x00\x00\x00\x01\x00\x00\x00\x03\x0eno"))
	f.Add([]byte("\x00\x00\x04\x00\x01" + strings.Repeat("x", 300)))
	f.Add([]byte("\x01\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		raw, other := pair(t, 1<<20)
		if _, err := raw.Write(in); err != nil {
			t.Skip()
		}
		there := New(other)
		defer there.Close()
		require.NoError(t, raw.Close())
		total := 0
		for {
			body, err := there.Receive()
			if err != nil {
				require.False(t, errors.Is(err, io.ErrNoProgress))
				return
			}
			total += HeaderBytes + len(body)
			require.LessOrEqual(t, total, len(in))
		}
	})
}
