package quorum

// A naiveFate is what a Write tells of the dot's fate.
type naiveFate struct {
	Fate                    Fate
	Holders, Doubtful, Aged Set
}

// fate goes through the owners one by one.
func (n naiveWrite) fate() naiveFate {
	var f naiveFate
	lost := n.amnesiacs(len(n.events))
	for i := range n.p.Owners.Union().All {
		last, told := n.told(i)
		holds := told && (last.acked || last.failure == TooOldSeen)
		never := told && !last.acked && last.failure == TooOld && !lost.Has(i)
		switch {
		case holds:
			f.Holders = f.Holders.With(i)
		case !never:
			f.Doubtful = f.Doubtful.With(i)
		}
		if told && !last.acked && (last.failure == TooOld || last.failure == TooOldSeen) {
			f.Aged = f.Aged.With(i)
		}
	}
	switch {
	case f.Holders != 0:
		f.Fate = Applied
	case f.Doubtful == 0:
		f.Fate = NeverApplied
	}
	return f
}

// told is what became of the attempt at owner i.
func (n naiveWrite) told(i int) (writeEvent, bool) {
	for k, e := range n.events {
		if e.replica == i && n.settles(k) {
			return e, true
		}
	}
	return writeEvent{}, false
}
