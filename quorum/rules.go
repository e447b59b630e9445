package quorum

// A rules value names rules that a machine does without. It is zero except in
// the tests that show what each rule prevents.
type rules uint8

const (
	forgetUnanswered   rules = 1 << iota // attempts without an answer are taken as not applied
	countAmnesiacs                       // an owner that lost its store counts as any other
	digestWithoutClock                   // digests cover the siblings alone
	countAnyDigest                       // digests count also when they differ
	ageByOwnClock                        // the coordinator's clock says that a dot is too old: any refusal is for ever
	believeAmnesiacs                     // an owner that lost its store is believed not to have seen a dot
	decideByLevel                        // a level of owners that have not seen a dot is enough to say that none has
	countSeen                            // TooOldSeen is an acknowledgement
)

func (r rules) has(x rules) bool { return r&x != 0 }
