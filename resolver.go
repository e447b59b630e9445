package pairdb

import (
	"fmt"
	"slices"
)

// A Resolver makes one value of several live siblings: at least two, oldest
// first by stamp, no tombstones. It must be pure (no I/O: it runs inside Get and Update)
// and should give the same value whatever the order of the siblings, so that two
// clients that resolve at once agree. It must not change the siblings' values. An error
// fails the call and is wrapped in its error.
type Resolver func(key string, live []Sibling) ([]byte, error)

// LatestWrite takes the sibling with the greatest (stamp, actor). The others
// are lost with the next write that uses the context: where an edit may not be lost,
// use RefuseConflicts or a merge function. Object.Conflict and HookConflict tell when it happens.
func LatestWrite(_ string, live []Sibling) ([]byte, error) {
	return live[len(live)-1].Value, nil
}

// RefuseConflicts fails with ErrConflict; the Object holds the siblings and the
// context, for a caller that settles conflicts itself.
func RefuseConflicts(string, []Sibling) ([]byte, error) { return nil, ErrConflict }

// resolve fills in Value, Expires and found from the siblings.
func (o *Object) resolve(r Resolver) error {
	live := o.Siblings
	if slices.ContainsFunc(live, func(s Sibling) bool { return s.Deleted }) {
		live = slices.DeleteFunc(slices.Clone(live), func(s Sibling) bool { return s.Deleted })
	}
	switch len(live) {
	case 0:
		return ErrNotFound
	case 1:
		o.Value, o.Expires, o.found = live[0].Value, live[0].Expires, true
		return nil
	}
	value, err := r(o.Key, slices.Clone(live)) // theirs, to sort as they like
	switch {
	case err == nil:
	case err == ErrConflict: //nolint:errorlint // RefuseConflicts' own, which needs no more words
		return err
	default:
		return fmt.Errorf("resolver: %w", foreignError{err})
	}
	o.Value, o.found = value, true
	for _, s := range live {
		if sameSlice(s.Value, value) {
			o.Expires = s.Expires
		}
	}
	return nil
}

// sameSlice reports whether a resolver returned one sibling's value as it is.
func sameSlice(a, b []byte) bool {
	return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0]
}
