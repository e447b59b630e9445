package quorum

import "github.com/devrev/pairdb/vclock"

// An Outcome says whether a request's level has been reached. It is decided once.
type Outcome uint8

// The outcomes. The zero Outcome is Pending.
const (
	Pending Outcome = iota // neither reached nor out of reach
	Won                    // reached
	Lost                   // out of reach, or nobody waits for it
)

// String returns the outcome's name, for logs.
func (o Outcome) String() string {
	switch o {
	case Pending:
		return "pending"
	case Won:
		return "won"
	case Lost:
		return "lost"
	default:
		return "unknown outcome"
	}
}

// A Failure says what is known about an attempt that brought no usable answer.
type Failure uint8

// The failures, as what each says about the attempt. An unknown Failure is
// taken for Unanswered.
const (
	// NotSent was withdrawn or dropped before it was handed to the stream: it
	// was never applied.
	NotSent Failure = iota
	// Refused was answered by a node that promises that it did not apply it.
	Refused
	// Unanswered was handed over and brought no answer, or a FAILED status: it
	// may have been applied, or be applied yet.
	Unanswered
	// TooOld was refused for the dot's age by a node that has not seen the dot.
	// It was not applied, and no attempt with this dot by any client ever will be
	// there: a node that has said so once goes on saying so.
	TooOld
	// TooOldSeen was refused for the dot's age by a node whose state covers the
	// dot: an earlier attempt was applied, or, for LastWriteWins, is beaten there. It is
	// no acknowledgement: the node promises nothing about what is on disk.
	TooOldSeen
)

// String returns the failure's name, for logs.
func (f Failure) String() string {
	switch f {
	case NotSent:
		return "not sent"
	case Refused:
		return "refused"
	case Unanswered:
		return "unanswered"
	case TooOld:
		return "too old"
	case TooOldSeen:
		return "too old, seen"
	default:
		return "unknown failure"
	}
}

// A Repair is a state that some owners were seen to be without. It is made of
// states that nodes held, so it is sent as a node's merge, in the background,
// and may be lost.
type Repair struct {
	To    Set
	State vclock.State
}

// A Step is the work that an event gives the driver. The zero Step is nothing
// to do. The sets of one step are disjoint.
type Step struct {
	Merge  Set // send Write.State or Settle.State to these; one step of a machine at most has any
	State  Set // ask these for the whole state
	Digest Set // ask these for a digest
	Clock  Set // ask these for the clock only

	// Done is set on the one step of a machine that decides its outcome.
	Done bool

	// Repairs is what to send in the background, with Done or after it.
	Repairs []Repair
}

// inRange reports whether i can be a replica's number.
func inRange(i int) bool { return i >= 0 && i < MaxOwners }
