package node

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/framed"
	"github.com/devrev/pairdb/internal/memnet"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// With the race detector, what was given back is overwritten (wire.Poison), so that an answer which still
// refers to it is a wrong one.
func TestAnswersAreWholeAlthoughFramesUseTheirMemoryAgain(t *testing.T) {
	for name, c := range map[string]Config{"synced": {}, "not synced": {NoSync: true}, "cached": {CacheBytes: 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			c.Now = func() time.Time { return epoch }
			l := memnet.Listen(64 << 10)
			_, end := behindDoor(t, l, nil, c)
			defer end()
			var streams sync.WaitGroup
			for s := range 4 {
				raw, err := l.DialContext(t.Context())
				require.NoError(t, err)
				conn := greeted(t, raw)
				streams.Go(func() { writeAndRead(t, conn, s) })
			}
			streams.Wait()
		})
	}
}

// writeAndRead sends many frames before it looks at the answers of any.
func writeAndRead(t *testing.T, conn *framed.Conn, stream int) {
	const frames, keys = 60, 40
	name := func(k int) string { return fmt.Sprintf("%d/%d", stream, k) }
	actor := vclock.Actor(stream + 1)
	value := func(k int) string { return strings.Repeat(name(k)+";", 20) }
	go func() {
		for f := range frames {
			frame := wire.NewFrame()
			for k := range keys {
				id := uint64(f*keys+k)*2 + 1
				newer, older := write(name(k), at(actor, time.Duration(f+2)*time.Millisecond), nil, value(k)), write(name(k), at(actor, time.Millisecond), nil, "old")
				if f%3 == 2 {
					newer = older // superseded: the answer shows the stored state
				}
				for _, op := range []*wire.Operation{numbered(id, newer), numbered(id+1, read(name(k), storagepb.Kind_READ_STATE))} {
					frame.Bytes = wire.AppendOperation(frame.Bytes, op, string(op.Key))
				}
			}
			if conn.Send(frame.Bytes) != nil {
				return
			}
		}
	}()
	seen := make(map[uint64]bool)
	for len(seen) < frames*keys*2 {
		b, err := conn.Receive()
		if err != nil {
			t.Error(err)
			return
		}
		list, _, err := wire.Answers(b, nil)
		if err != nil {
			t.Error(err)
			return
		}
		for i := range list {
			a := &list[i]
			k := int(a.Id-1) / 2 % keys
			if seen[a.Id] || a.Status != storagepb.Status_OK {
				t.Errorf("answer %d: twice, or %v %s", a.Id, a.Status, a.Detail)
				return
			}
			seen[a.Id] = true
			for _, sib := range a.State.Siblings {
				if string(sib.Value) != value(k) {
					t.Errorf("answer %d of %s has %q", a.Id, name(k), sib.Value)
					return
				}
			}
			if a.Id%2 == 0 && len(a.State.Siblings) != 1 {
				t.Errorf("answer %d of %s has %d siblings", a.Id, name(k), len(a.State.Siblings))
				return
			}
		}
	}
}
