package node

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
)

func TestAFrameIsTakenWholeOrNotAtAll(t *testing.T) {
	l := newLoad(3, 100)
	require.True(t, l.takeAll(2, 60))
	require.False(t, l.takeAll(2, 10), "too many operations")
	require.False(t, l.takeAll(1, 41), "too many bytes")
	ops, bytes := l.inHand()
	require.Equal(t, []int{2, 60}, []int{ops, bytes})
	require.Equal(t, storagepb.Status_OK, l.take(40))
	require.True(t, l.full())
	l.release(3, 100)
	require.False(t, l.full())

	<-l.stop()
	require.False(t, l.takeAll(1, 1))
	require.Equal(t, storagepb.Status_STOPPING, l.take(1))
}
