package quorum_test

import (
	"fmt"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/vclock"
)

// A driver sends what a step names, and hands in what comes of it.
func ExampleWrite() {
	var w quorum.Write
	err := w.Init(quorum.WriteParams{
		Owners:  quorum.Owners{Old: quorum.FirstN(3)},
		Level:   quorum.Quorum,
		Sibling: vclock.Sibling{Dot: vclock.Dot{Actor: 0x100, Stamp: 1}, Value: []byte("milk")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range w.Start().Merge.All {
		fmt.Println("merge to owner", i)
	}
	w.Reply(0, quorum.Ack{Live: true})
	w.Fail(1, quorum.Unanswered)
	step := w.Reply(2, quorum.Ack{Live: true})
	fmt.Println("done:", step.Done, w.Outcome())
	for i := range w.Missed().All {
		fmt.Println("hint for owner", i)
	}
	// Output:
	// merge to owner 0
	// merge to owner 1
	// merge to owner 2
	// done: true won
	// hint for owner 1
}

// Owner 1 missed a write: its digest differs, so it is asked for its state, and
// repaired.
func ExampleRead() {
	var r quorum.Read
	err := r.Init(quorum.ReadParams{
		Owners: quorum.Owners{Old: quorum.FirstN(3)},
		Level:  quorum.Quorum,
		Order:  []uint8{0, 1, 2},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	milk := vclock.WriteState(vclock.Causal, nil,
		vclock.Sibling{Dot: vclock.Dot{Actor: 0x100, Stamp: 1}, Value: []byte("milk")})

	step := r.Start()
	fmt.Println("state of 0:", step.State.Has(0), "digest of 1:", step.Digest.Has(1))
	r.Reply(0, quorum.Answer{State: milk})
	step = r.Reply(1, quorum.Answer{IsDigest: true, Digest: vclock.State{}.Digest()})
	fmt.Println("state of 1:", step.State.Has(1))
	step = r.Reply(1, quorum.Answer{})
	fmt.Printf("done: %v %v %s\n", step.Done, r.Outcome(), r.Result().Siblings[0].Value)
	for _, repair := range step.Repairs {
		fmt.Println("repair owner 1:", repair.To.Has(1))
	}
	// Output:
	// state of 0: true digest of 1: true
	// state of 1: true
	// done: true won milk
	// repair owner 1: true
}

// A write that its coordinator left unfinished is sent once more, much later:
// the nodes refuse it for its age, and owner 0 has seen it.
func ExampleSettle() {
	milk := vclock.Sibling{Dot: vclock.Dot{Actor: 0x100, Stamp: 1}, Value: []byte("milk")}
	owners := quorum.Owners{Old: quorum.FirstN(3)}
	var w quorum.Write
	if err := w.Init(quorum.WriteParams{Owners: owners, Level: quorum.Quorum, Sibling: milk}); err != nil {
		fmt.Println(err)
		return
	}
	w.Start()
	w.Fail(0, quorum.TooOldSeen)
	w.Fail(1, quorum.TooOld)
	w.Fail(2, quorum.Unanswered)
	fate, holders := w.Fate()
	fmt.Println(w.Outcome(), fate, "doubtful owner 2:", w.Doubtful().Has(2))

	var s quorum.Settle
	err := s.Init(quorum.SettleParams{Owners: owners, Level: quorum.Quorum, Dot: milk.Dot, Holders: holders})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range s.Start().State.All {
		fmt.Println("state of owner", i)
	}
	step := s.Reply(0, quorum.SettleAnswer{State: vclock.WriteState(vclock.Causal, nil, milk)})
	for i := range step.Merge.All {
		fmt.Println("merge to owner", i)
	}
	s.Reply(1, quorum.SettleAnswer{})
	step = s.Reply(0, quorum.SettleAnswer{})
	fmt.Println("done:", step.Done, s.Outcome())
	// Output:
	// lost applied doubtful owner 2: true
	// state of owner 0
	// merge to owner 0
	// merge to owner 1
	// merge to owner 2
	// done: true won
}

func ExampleLevel_Need() {
	need, ok := quorum.Quorum.Need(3)
	fmt.Println(need, ok)
	_, ok = quorum.Two.Need(1)
	fmt.Println(ok)
	// Output:
	// 2 true
	// false
}

func ExampleParseLevel() {
	level, err := quorum.ParseLevel("Quorum")
	fmt.Println(level, err)
	_, err = quorum.ParseLevel("most")
	fmt.Println(err)
	// Output:
	// quorum <nil>
	// unknown level: "most"
}
