package quorum

// A rules value names rules that a machine does without. It is zero except in
// the tests that show what each rule prevents.
type rules uint8

const (
	forgetUnanswered   rules = 1 << iota // attempts without an answer are taken as not applied
	countAmnesiacs                       // an owner that lost its store counts as any other
	digestWithoutClock                   // digests cover the siblings alone
	countAnyDigest                       // digests count also when they differ
)

func (r rules) has(x rules) bool { return r&x != 0 }
