package quorum

import (
	"fmt"
	"testing"

	"github.com/devrev/pairdb/vclock"
)

// replayEvents is what can become of an attempt at a write that is sent once
// more, when nodes may find it too old.
var replayEvents = []writeEvent{
	{acked: true, ack: Ack{Live: true}},
	{acked: true, ack: Ack{State: stateOf(vclock.Clock{mine}, successor)}},
	{acked: true, ack: Ack{Live: true, Amnesiac: true}},
	{failure: TooOld},
	{failure: TooOld, lost: true},
	{failure: TooOldSeen},
	{failure: TooOldSeen, lost: true},
	{failure: Refused},
	{failure: NotSent},
	{failure: Unanswered},
	{failure: Unanswered, lost: true},
}

func TestFateAgreesWithTheNaiveOneInEveryOrderOfEveryEvent(t *testing.T) {
	t.Parallel()
	for n := 1; n <= min(exploredOwners, 4); n++ {
		var sum writeTotals
		for _, l := range readLevels(n) {
			for _, unfit := range unfits {
				p := writeOf(Owners{Old: FirstN(n)}, l, vclock.Causal)
				p.Down, p.Amnesiac = unfit.down, unfit.amnesiac
				sum.exploreThese(t, p, replayEvents)
			}
		}
		sum.log(t, fmt.Sprintf("sent once more, N = %d", n))
	}
}

func TestFateAgreesWithTheNaiveOneInEveryOrderDuringATopologyChange(t *testing.T) {
	t.Parallel()
	var sum writeTotals
	for _, o := range jointOwners {
		if o.Union().Len() <= min(exploredOwners, 4) {
			sum.exploreThese(t, writeOf(o, Quorum, vclock.Causal), replayEvents)
		}
	}
	sum.log(t, "sent once more, two owner sets")
}
