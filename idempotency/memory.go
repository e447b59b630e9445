package idempotency

import (
	"container/heap"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/devrev/pairdb/vclock"
)

const (
	// DefaultMemoryRecords bounds a Memory that was given no bound.
	DefaultMemoryRecords = 100_000

	// reclaimPerCall bounds the expired records that one call clears away, so that no
	// call pays for all that expired together. More than one, so that they get fewer.
	reclaimPerCall = 8
)

// A Memory is a Store of one process: it protects what is retried by this process while it
// runs, and nothing else. For tests, and for programs that need no more.
//
// It holds a bounded number of records and drops none before its time: when all places are
// taken by records that live, whatever needs another place is ErrFull. A record takes about 500
// bytes, and, until it is finished, its value.
type Memory struct {
	max int

	mu      sync.Mutex
	records map[Key]*memoryRecord // guarded by mu
	expiry  expiryHeap            // guarded by mu; the same records, the first to expire on top
}

type memoryRecord struct {
	key     Key
	record  Record
	expires time.Time
	place   int // in the heap
}

// NewMemory returns an empty Memory of at most most records; 0 or less is
// DefaultMemoryRecords.
func NewMemory(most int) *Memory {
	if most <= 0 {
		most = DefaultMemoryRecords
	}
	return &Memory{max: most, records: make(map[Key]*memoryRecord)}
}

// Len returns the number of records that take a place. Some may have expired.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.records)
}

// Lookup implements Store.
func (m *Memory) Lookup(ctx context.Context, key Key) (Record, bool, error) {
	if err := check(ctx, key); err != nil {
		return Record{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if has := m.live(key, time.Now()); has != nil {
		return has.record, true, nil
	}
	return Record{}, false, nil
}

// Begin implements Store.
func (m *Memory) Begin(ctx context.Context, key Key, intent Intent, ttl time.Duration) (Record, bool, error) {
	return m.replace(ctx, key, nil, intent, ttl)
}

// Replace implements Store.
func (m *Memory) Replace(ctx context.Context, key Key, old vclock.Dot, intent Intent, ttl time.Duration) (Record, bool, error) {
	return m.replace(ctx, key, &old, intent, ttl)
}

// replace is Begin where old is nil.
func (m *Memory) replace(ctx context.Context, key Key, old *vclock.Dot, intent Intent, ttl time.Duration) (Record, bool, error) {
	if err := check(ctx, key, intent.Validate(), CheckTTL(ttl)); err != nil {
		return Record{}, false, err
	}
	kept := Record{Intent: intent.clone()}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	has := m.live(key, now)
	switch {
	case has == nil:
		if err := m.add(key, kept, now, ttl); err != nil {
			return Record{}, false, err
		}
		return kept, true, nil
	case old != nil && !has.record.Done && has.record.Intent.Dot() == *old:
		has.record = kept
		m.renew(has, now, ttl)
	}
	return has.record, has.record.Intent.Dot() == intent.Dot(), nil
}

// Complete implements Store.
func (m *Memory) Complete(ctx context.Context, key Key, intent Intent, result Result, ttl time.Duration) error {
	if err := check(ctx, key, intent.Validate(), result.Validate(), CheckTTL(ttl)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	has := m.live(key, now)
	switch {
	case has == nil:
		return m.add(key, Finished(intent.clone(), result), now, ttl)
	case has.record.Intent.Dot() != intent.Dot():
		return ErrReplaced
	case !has.record.Done:
		has.record = Finished(has.record.Intent, result)
	}
	m.renew(has, now, ttl)
	return nil
}

func check(ctx context.Context, key Key, errs ...error) error {
	for _, err := range append(errs, key.Validate(), ctx.Err()) {
		if err != nil {
			return err
		}
	}
	return nil
}

// clone copies what a caller might change in spite of the rule that states are immutable:
// a value that came straight from the user's hands.
func (i Intent) clone() Intent {
	write := i.State.Siblings[0]
	if write.Value != nil {
		write.Value = append([]byte{}, write.Value...)
	}
	i.State.Siblings = []vclock.Sibling{write}
	return i
}

// live returns nil where there is no record that has not expired.
func (m *Memory) live(key Key, now time.Time) *memoryRecord {
	has := m.records[key]
	if has == nil || !has.expires.After(now) {
		return nil
	}
	return has
}

// add takes a place, which may be that of an expired record of the same key.
func (m *Memory) add(key Key, r Record, now time.Time, ttl time.Duration) error {
	if has := m.records[key]; has != nil {
		has.record = r
		m.renew(has, now, ttl)
		return nil
	}
	for range reclaimPerCall {
		if len(m.expiry) == 0 || m.expiry[0].expires.After(now) {
			break
		}
		delete(m.records, heap.Pop(&m.expiry).(*memoryRecord).key)
	}
	if len(m.records) >= m.max {
		return fmt.Errorf("%w: %d records live", ErrFull, len(m.records))
	}
	has := &memoryRecord{key: key, record: r, expires: now.Add(ttl)}
	m.records[key] = has
	heap.Push(&m.expiry, has)
	return nil
}

func (m *Memory) renew(r *memoryRecord, now time.Time, ttl time.Duration) {
	r.expires = now.Add(ttl)
	heap.Fix(&m.expiry, r.place)
}

// An expiryHeap is a heap.Interface.
type expiryHeap []*memoryRecord

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push implements heap.Interface.
func (h *expiryHeap) Push(x any) {
	r := x.(*memoryRecord)
	r.place = len(*h)
	*h = append(*h, r)
}

// Pop implements heap.Interface.
func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return r
}
