package node

import (
	"bytes"
	"slices"
	"sync"
)

// Memory is an Engine that holds everything in maps, for tests and caches. It
// survives Close, so that a node can be restarted on it; it does not survive the
// process.
type Memory struct {
	mu   sync.RWMutex // guards data, meta
	data map[string][]byte
	meta map[string][]byte
}

// NewMemory returns an empty engine.
func NewMemory() *Memory {
	return &Memory{data: make(map[string][]byte), meta: make(map[string][]byte)}
}

// Get implements Engine.
func (m *Memory) Get(key []byte, use func(value []byte) error) (bool, error) {
	m.mu.RLock()
	value, found := m.data[string(key)]
	m.mu.RUnlock()
	if !found {
		return false, nil
	}
	return true, use(value) // stored values are replaced, never changed
}

// Apply implements Engine.
func (m *Memory) Apply(puts []KV) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, put := range puts {
		m.data[string(put.Key)] = bytes.Clone(put.Value)
	}
	return nil
}

// Sync implements Engine.
func (m *Memory) Sync() error { return nil }

// Scan implements Engine.
func (m *Memory) Scan(from, to []byte, use func(key, value []byte) error) error {
	for _, found := range m.between(from, to) {
		if err := use(found.Key, found.Value); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) between(from, to []byte) []KV {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var found []KV
	for key, value := range m.data {
		k := []byte(key)
		if bytes.Compare(k, from) >= 0 && (to == nil || bytes.Compare(k, to) < 0) {
			found = append(found, KV{k, value})
		}
	}
	slices.SortFunc(found, func(a, b KV) int { return bytes.Compare(a.Key, b.Key) })
	return found
}

// Meta implements Engine.
func (m *Memory) Meta(name string) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return bytes.Clone(m.meta[name]), nil
}

// SetMeta implements Engine.
func (m *Memory) SetMeta(name string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.meta[name] = bytes.Clone(value)
	return nil
}

// Close implements Engine.
func (m *Memory) Close() error { return nil }
