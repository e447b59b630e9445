package replica

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/storagepb"
)

func TestTheWheelGivesWhatIsDueAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := new(wheel)
		model := map[*Op]bool{}
		now := int64(1)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				op := &Op{deadline: now + rapid.Int64Range(0, 3*wheelSlots*wheelSlot).Draw(t, "in")}
				w.add(op)
				model[op] = true
			case 2:
				for op := range model {
					w.remove(op)
					delete(model, op)
					break
				}
			case 3:
				now += rapid.Int64Range(0, wheelSlots*wheelSlot).Draw(t, "later")
				next := w.next(now, func(op *Op) {
					if !model[op] || op.deadline > now {
						t.Fatalf("not there, or due at %d only, at %d", op.deadline, now)
					}
					w.remove(op)
					delete(model, op)
				})
				for op := range model {
					if op.deadline <= now || op.deadline < next {
						t.Fatalf("due at %d, at %d it was not given, and said to be due at %d at the earliest", op.deadline, now, next)
					}
				}
				if len(model) == 0 && next != never {
					t.Fatalf("empty, and yet due at %d", next)
				}
			}
		}
	})
}

// TestEachOperationExpiresAtItsDeadlineWhereverItIs has operations that are handed over, queued and waiting, of both
// lanes, some with deadlines that are brought forward, and none of which is ever answered.
func TestEachOperationExpiresAtItsDeadlineWhereverItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.answer = func(*storagepb.Operation) *storagepb.Answer { return nil }
		n.start()
		c := n.connect(t, func(cfg *Config) { cfg.MaxInFlight = 40 })
		synctest.Wait()
		begin := time.Now()
		const all = 200
		got := make(chan time.Duration, all)
		var want [all]time.Duration
		for i := range all {
			op := read(expiry{got, begin, &want[i], t})
			if i%3 == 0 {
				op = merge(op.Handler, bulkBytes)
			}
			after := time.Duration(1+i*7919%all) * 70 * time.Millisecond // up to 14 s, in no order
			want[i], op.Deadline = after, begin.Add(after)
			require.NoError(t, c.Send(op))
			if i%10 == 9 {
				time.Sleep(time.Millisecond)
			}
			if i%7 == 0 && after > 2*time.Second {
				want[i] = after / 2
				c.Shorten(op, begin.Add(want[i]))
			}
		}
		for range all {
			<-got
		}
		require.EqualValues(t, all, c.Health().Expired)
		require.Zero(t, c.Health().InFlight+c.Health().Waiting)
	})
}

// expiry is told that an operation expired, and when it should have.
type expiry struct {
	got   chan time.Duration
	begin time.Time
	want  *time.Duration
	t     *testing.T
}

func (e expiry) Complete(_ *Op, r Result) {
	at := time.Since(e.begin)
	if r.Err == nil || at < *e.want || at > max(*e.want, 20*time.Millisecond)+time.Duration(sweepEvery) {
		e.t.Errorf("ended after %v with %v, its deadline was %v", at, r.Err, *e.want)
	}
	e.got <- at
}

// BenchmarkSweep finds one operation that is late among 8,000 that are not.
func BenchmarkSweep(b *testing.B) {
	n := newScripted()
	n.greet = make(chan struct{}) // never: all of them are queued
	n.start()
	c := n.connect(b, func(cfg *Config) { cfg.MaxInFlight = 16384 })
	ended, end := context.WithCancel(b.Context())
	end()
	defer c.Close(ended) // nothing is answered
	none := newBox(8001)
	for i := range 8000 {
		op := read(none)
		op.Deadline = time.Now().Add(time.Hour + time.Duration(i)*time.Millisecond)
		if err := c.Send(op); err != nil {
			b.Fatal(err)
		}
	}
	late := c.collectLate(nil)
	op := read(none)
	for b.Loop() {
		c.mu.Lock()
		op.conn, op.lane, op.deadline = c, &c.small, c.now()
		c.small.enqueue(op)
		c.mu.Unlock()
		if late = c.collectLate(late[:0]); len(late) != 1 {
			b.Fatal(len(late))
		}
	}
}
