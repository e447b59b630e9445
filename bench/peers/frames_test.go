package peers

import (
	"bytes"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestFramesOfEverySizeAreReadBackHoweverTheyArrive(t *testing.T) {
	var sent []byte
	lengths := []int{0, 1, 100, readBuffer - 40, readBuffer - requestBytes - lengthBytes - 3, readBuffer, 1 << 20, 5}
	for i, n := range lengths {
		sent = appendRequest(sent, kindPut, uint32(i), "key", bytes.Repeat([]byte{byte(i)}, n)) //nolint:gosec // few
	}
	for _, in := range []*frameReader{
		newFrameReader(bytes.NewReader(sent)),
		newFrameReader(iotest.HalfReader(bytes.NewReader(sent))),
	} {
		for i, n := range lengths {
			frame, err := in.next()
			require.NoError(t, err)
			kind, id, key, value, err := parseRequest(frame)
			require.NoError(t, err)
			require.Equal(t, kindPut, kind)
			require.EqualValues(t, i, id)
			require.Equal(t, "key", string(key))
			require.Equal(t, bytes.Repeat([]byte{byte(i)}, n), value)
			require.False(t, i == len(lengths)-1 && in.more(), "more than was sent")
		}
		_, err := in.next()
		require.Error(t, err)
	}
}

func FuzzFramesNeverReadBeyondWhatCame(f *testing.F) {
	f.Add(appendRequest(nil, kindPut, 1, "key", []byte("value")))
	f.Add(appendAnswerHead(nil, 1, true, 0))
	f.Add([]byte{255, 255, 255, 255})
	f.Add([]byte{7, 0, 0, 0, 1, 0, 0, 0, 0, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		in := newFrameReader(bytes.NewReader(b))
		left := len(b)
		for {
			frame, err := in.next()
			if err != nil {
				return
			}
			left -= lengthBytes + len(frame)
			require.GreaterOrEqual(t, left, 0)
			_, _, key, value, err := parseRequest(frame)
			if err == nil {
				require.Equal(t, len(frame), requestBytes+len(key)+len(value))
			}
			_, _, value, err = parseAnswer(frame)
			if err == nil {
				require.Equal(t, len(frame), answerBytes+len(value))
			}
		}
	})
}
