package node

import (
	"fmt"
	"math"
	"time"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

func refuse(id uint64, status storagepb.Status, detail string) *wire.Answer {
	return &wire.Answer{Id: id, Status: status, Detail: detail}
}

// expired reports whether nobody waits for op any more. Time is the monotonic
// clock's, which no jump of the wall clock moves.
func expired(op *wire.Operation, received time.Time) bool {
	return op.TimeoutMs != 0 && expiredAfter(op, time.Since(received))
}

// expiredAfter is expired for who knows how long ago the operation was received.
func expiredAfter(op *wire.Operation, waited time.Duration) bool {
	ms := op.TimeoutMs
	return ms != 0 && waited >= time.Duration(ms)*time.Millisecond
}

// checkTarget checks the fields that every operation has.
func (c *Core) checkTarget(op *wire.Operation) (vclock.Policy, *wire.Answer) {
	invalid := func(format string, args ...any) (vclock.Policy, *wire.Answer) {
		return 0, refuse(op.Id, storagepb.Status_INVALID, fmt.Sprintf(format, args...))
	}
	if err := c.Err(); err != nil {
		return 0, refuse(op.Id, storagepb.Status_DISK, err.Error())
	}
	switch op.Kind {
	case storagepb.Kind_READ_STATE, storagepb.Kind_READ_DIGEST, storagepb.Kind_READ_CLOCK, storagepb.Kind_MERGE:
	default:
		return invalid("kind: %d is unknown", op.Kind)
	}
	if !validTenant(op.Tenant) {
		return invalid("tenant: %.130q is not 1 to %d of [A-Za-z0-9._-]", op.Tenant, MaxTenantBytes)
	}
	if n := len(op.Key); n < 1 || n > MaxKeyBytes {
		return invalid("key: %d bytes, not 1 to %d", n, MaxKeyBytes)
	}
	switch op.Policy {
	case storagepb.Policy_CAUSAL:
		return vclock.Causal, nil
	case storagepb.Policy_LAST_WRITE_WINS:
		return vclock.LastWriteWins, nil
	default:
		return invalid("policy: %d is unknown", op.Policy)
	}
}

func validTenant(id string) bool {
	if len(id) < 1 || len(id) > MaxTenantBytes {
		return false
	}
	for _, b := range []byte(id) {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '_', b == '-':
		default:
			return false
		}
	}
	return true
}

// prepare checks what can be checked of a MERGE before its latch is taken.
func (c *Core) prepare(op *wire.Operation, k *opKey) (merge, *wire.Answer) {
	policy, refusal := c.checkTarget(op)
	if refusal != nil {
		return merge{}, refusal
	}
	invalid := func(field, reason string) (merge, *wire.Answer) {
		return merge{}, refuse(op.Id, storagepb.Status_INVALID, field+": "+reason)
	}
	sent, err := op.State, error(wire.ErrColumns)
	if !op.Columns {
		err = sent.Validate(policy)
	}
	switch {
	case err != nil:
		return invalid("state", err.Error())
	case len(sent.Siblings) == 0:
		return invalid("state.siblings", "none")
	}
	switch op.Origin {
	case storagepb.Origin_NODE:
	case storagepb.Origin_CLIENT:
		if refusal := c.checkWrite(op.Id, policy, sent); refusal != nil {
			return merge{}, refusal
		}
	default:
		return invalid("origin", fmt.Sprintf("%d is unknown", op.Origin))
	}
	return merge{op: op, policy: policy, key: k}, nil
}

// checkWrite checks what only a client's write must keep to: that it is one write,
// and how large.
func (c *Core) checkWrite(id uint64, policy vclock.Policy, sent vclock.State) *wire.Answer {
	invalid := func(field, format string, args ...any) *wire.Answer {
		return refuse(id, storagepb.Status_INVALID, field+": "+fmt.Sprintf(format, args...))
	}
	if n := len(sent.Siblings); n != 1 {
		return invalid("state.siblings", "a client's write has one, not %d", n)
	}
	if n := len(sent.Clock); n > maxSentEntries {
		return invalid("state.clock", "a client's write has at most %d entries, not %d", maxSentEntries, n)
	}
	dot := sent.Siblings[0].Dot
	if seen := sent.Clock.Stamp(dot.Actor); policy == vclock.Causal && seen != dot.Stamp {
		return invalid("state.clock", "it has seen %v of the writing actor, whose write is of %v", seen, dot.Stamp)
	}
	if n, most := len(sent.Siblings[0].Value), c.config.Limits.MaxValueBytes; n > most {
		return refuse(id, storagepb.Status_TOO_LARGE, fmt.Sprintf("the value has %d bytes, the node takes %d", n, most))
	}
	return nil
}

// A moment is the time at which a batch is applied.
type moment struct {
	now   time.Time
	floor int64         // of the write window, Unix milliseconds
	jump  time.Duration // of the node's clock, while it is not believed; else 0
}

// span returns milliseconds for a text: what a Duration cannot hold, some 292
// years, is shown as the most that it can.
func span(ms int64) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	return time.Duration(min(max(ms, -most), most)) * time.Millisecond
}

// judge refuses a client's write for time or for size; nil lets it pass.
func (c *Core) judge(m *merge, at moment, has held, joined vclock.State) *wire.Answer {
	limits := c.config.Limits
	if a := c.judgeTime(m, at, has); a != nil {
		return a
	}
	// A write that makes less of what is too much already is welcome.
	if n := len(joined.Siblings); n > 1 && n > len(has.state.Siblings) && n > limits.MaxSiblings {
		return refuse(m.op.Id, storagepb.Status_TOO_MANY_SIBLINGS,
			fmt.Sprintf("there would be %d siblings, the node takes %d", n, limits.MaxSiblings))
	}
	if n := len(joined.Clock); n > maxHeldEntries && !has.state.Covers(m.policy, m.dot()) {
		return refuse(m.op.Id, storagepb.Status_TOO_LARGE,
			fmt.Sprintf("the key's clock would have %d entries, the node takes %d", n, maxHeldEntries))
	}
	if n, size := len(joined.Siblings), joined.Size(); n > 1 && size > has.state.Size() && size > maxStateBytes {
		return refuse(m.op.Id, storagepb.Status_TOO_MANY_SIBLINGS,
			fmt.Sprintf("the siblings would have %d bytes together, the node takes %d", size, maxStateBytes))
	}
	return nil
}

// judgeTime refuses a client's write for its stamps, or while the node's clock is
// not to be trusted.
func (c *Core) judgeTime(m *merge, at moment, has held) *wire.Answer {
	skew, id := c.config.Limits.Skew, m.op.Id
	if at.jump != 0 {
		return refuse(id, storagepb.Status_TOO_FAR_AHEAD, fmt.Sprintf(
			"the node's own clock jumped by %v while it ran; it takes no client's write until the clock is back or has kept its time for %v", at.jump, skew))
	}
	dot := m.dot()
	newest := max(dot.Stamp, m.sent().Clock.Newest())
	// Milliseconds, for a stamp reaches further than a time.Duration.
	if ahead := newest.Millis() - at.now.UnixMilli(); ahead > skew.Milliseconds() {
		return refuse(id, storagepb.Status_TOO_FAR_AHEAD,
			fmt.Sprintf("a stamp is %v ahead of the node's clock, the limit is %v", span(ahead), skew))
	}
	if dot.Stamp.Millis() >= at.floor {
		return nil
	}
	detail := fmt.Sprintf("the write is %v older than the write window", span(at.floor-dot.Stamp.Millis()))
	if ahead := at.floor - at.now.UnixMilli(); ahead > 0 {
		detail = fmt.Sprintf("the floor of the node's write window is %v ahead of its clock; client writes are refused until %s",
			span(ahead), time.UnixMilli(at.floor).UTC().Format(time.RFC3339))
	}
	a := refuse(id, storagepb.Status_TOO_OLD, detail)
	a.Seen = has.state.Covers(m.policy, dot)
	return a
}
