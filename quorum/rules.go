package quorum

// A rules value names rules that a machine does without. It is zero except in
// the tests that show what each rule prevents.
type rules uint8

const (
	noSecondRound      rules = 1 << iota // a Put without a context trusts the context that it began with
	growBySuperseded                     // the second round covers also what was written on top of this write
	newDotInRound2                       // the second round is another write
	forgetUnanswered                     // attempts without an answer are taken as not applied
	countAmnesiacs                       // an owner that lost its store counts as any other
	digestWithoutClock                   // digests cover the siblings alone
	countAnyDigest                       // digests count also when they differ
)

func (r rules) has(x rules) bool { return r&x != 0 }
