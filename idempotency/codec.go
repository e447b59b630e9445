package idempotency

import (
	"encoding/binary"
	"fmt"

	"github.com/devrev/pairdb/vclock"
)

// The binary form of a record. Its head has a fixed place for all that decides, so
// that a script inside a server can compare without decoding:
//
//	 0      version
//	 1      flags
//	 2– 9   the dot's actor, big endian
//	10–17   the dot's stamp, big endian
//	18–33   the fingerprint
//	34      the operation
//	35, 36  acked and owners, if done
//	        the state, as of vclock.AppendState
//
// A record has one form only: what decodes, encodes to the same bytes.
const (
	// RecordVersion is a record's first byte. What begins otherwise is to be left alone.
	RecordVersion = 1
	// FlagsOffset is the place of the flags: 0 is an unfinished record.
	FlagsOffset = 1
	// FlagDone is set of a finished record.
	FlagDone = 1 << 0
	// FlagSuperseded is Result.Superseded, of a finished record.
	FlagSuperseded = 1 << 1
	// DotOffset is the place of the dot: equal bytes are the same write.
	DotOffset = 2
	// DotLen is the length of the dot, in bytes.
	DotLen = 16
	// FingerprintOffset is the place of the fingerprint.
	FingerprintOffset = DotOffset + DotLen

	opOffset   = FingerprintOffset + len(Fingerprint{})
	headLen    = opOffset + 1
	resultsLen = 2
)

// AppendDot appends the dot as it stands in a record at DotOffset.
func AppendDot(b []byte, d vclock.Dot) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(d.Actor))
	return binary.BigEndian.AppendUint64(b, uint64(d.Stamp))
}

// Finished returns the record of an intent that was carried out: without the value, which by
// then is in the storage nodes' keeping. The clock is shared with i.
func Finished(i Intent, r Result) Record {
	i.State = i.State.WithoutValues()
	return Record{Intent: i, Done: true, Result: r}
}

// AppendRecord appends the binary form of r, whose intent and result must be valid. The value of a
// finished record is left out.
func AppendRecord(b []byte, r Record) []byte {
	var flags byte
	state := r.Intent.State
	if r.Done {
		flags |= FlagDone
		if r.Result.Superseded {
			flags |= FlagSuperseded
		}
		state = state.WithoutValues()
	}
	b = AppendDot(append(b, RecordVersion, flags), r.Intent.Dot())
	b = append(append(b, r.Intent.Fingerprint[:]...), byte(r.Intent.Op))
	if r.Done {
		b = append(b, byte(r.Result.Acked), byte(r.Result.Owners))
	}
	return vclock.AppendState(b, r.Intent.Policy, state)
}

// DecodeRecord reads what AppendRecord wrote, all of b; the value aliases b. What it
// returns is valid. Errors wrap ErrDamaged.
func DecodeRecord(b []byte) (Record, error) {
	if len(b) < headLen {
		return Record{}, damaged("%d bytes are too few", len(b))
	}
	if b[0] != RecordVersion {
		return Record{}, damaged("version %d is unknown", b[0])
	}
	flags := b[FlagsOffset]
	if flags&^(FlagDone|FlagSuperseded) != 0 || flags == FlagSuperseded {
		return Record{}, damaged("flags %#x are unknown", flags)
	}
	r := Record{Done: flags&FlagDone != 0}
	r.Intent.Fingerprint = Fingerprint(b[FingerprintOffset:opOffset])
	r.Intent.Op = Op(b[opOffset])
	rest := b[headLen:]
	if r.Done {
		if len(rest) < resultsLen {
			return Record{}, damaged("%d bytes are too few", len(b))
		}
		r.Result = Result{Acked: int(rest[0]), Owners: int(rest[1]), Superseded: flags&FlagSuperseded != 0}
		rest = rest[resultsLen:]
	}
	var err error
	if r.Intent.Policy, r.Intent.State, err = vclock.DecodeState(rest); err != nil {
		return Record{}, damaged("%v", err)
	}
	if err := r.check(b[DotOffset:FingerprintOffset]); err != nil {
		return Record{}, err
	}
	return r, nil
}

// check is what must hold of a decoded record, besides the form of its parts.
func (r *Record) check(dot []byte) error {
	if err := r.Intent.Validate(); err != nil {
		return damaged("%v", err)
	}
	if string(AppendDot(nil, r.Intent.Dot())) != string(dot) {
		return damaged("the head names another write than the state")
	}
	if r.Done && len(r.Intent.State.Siblings[0].Value) > 0 {
		return damaged("it is finished, and has a value")
	}
	return nil
}

// damaged wraps no cause: what is wrong with a record is not the caller's fault, as an
// ErrInvalid would say.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}
