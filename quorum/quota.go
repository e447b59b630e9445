package quorum

// A quota is what a level needs of each owner set of one request.
type quota struct {
	owners   Owners
	old, new int // new is 0 when there is no second set
}

func newQuota(o Owners, l Level) (quota, error) {
	if o.Union()&^FirstN(MaxOwners) != 0 {
		return quota{}, ErrOwners
	}
	q := quota{owners: o}
	var ok bool
	if q.old, ok = l.Need(o.Old.Len()); !ok {
		return quota{}, &LevelError{Level: l, Owners: o.Old.Len()}
	}
	if o.New == 0 {
		return q, nil
	}
	if q.new, ok = l.Need(o.New.Len()); !ok {
		return quota{}, &LevelError{Level: l, Owners: o.New.Len()}
	}
	return q, nil
}

// met reports whether s holds what is needed, of each set by itself (invariant 1).
func (q *quota) met(s Set) bool {
	return (s&q.owners.Old).Len() >= q.old && (s&q.owners.New).Len() >= q.new
}

// wanting returns the owners that would bring s nearer to what is needed.
func (q *quota) wanting(s Set) Set {
	var w Set
	if (s & q.owners.Old).Len() < q.old {
		w = q.owners.Old
	}
	if (s & q.owners.New).Len() < q.new {
		w |= q.owners.New
	}
	return w &^ s
}

// furthest describes the set that lacks most, the old one when both lack the same.
func (q *quota) furthest(s Set) (needed, got, total int) {
	gotOld, gotNew := (s & q.owners.Old).Len(), (s & q.owners.New).Len()
	if q.owners.New != 0 && q.new-gotNew > q.old-gotOld {
		return q.new, gotNew, q.owners.New.Len()
	}
	return q.old, gotOld, q.owners.Old.Len()
}
