package node

import (
	"encoding/json"
	"fmt"
	"strconv"
)

const (
	metaStore    = "store"
	storeVersion = 1
)

// storeRecord is what binds a store to a node, as JSON so that an operator can read it.
type storeRecord struct {
	Version int    `json:"version"`
	Store   string `json:"store"` // as StoreIDString writes it
	Cluster string `json:"cluster"`
	Node    string `json:"node"`
}

// StoreIDString returns a store id as it is written everywhere: 16 hexadecimal digits.
func StoreIDString(id uint64) string { return fmt.Sprintf("%016x", id) }

// openStore returns the engine's store id, and makes one if the engine is empty.
func openStore(engine Engine, id Identity, random func() uint64) (uint64, error) {
	text, err := engine.Meta(metaStore)
	if err != nil {
		return 0, fmt.Errorf("read the store id: %w", err)
	}
	if text == nil {
		return makeStore(engine, id, random)
	}
	var record storeRecord
	if err := json.Unmarshal(text, &record); err != nil {
		return 0, fmt.Errorf("%w: store record: %w", ErrDamaged, err)
	}
	if record.Version != storeVersion {
		return 0, fmt.Errorf("%w: store record has version %d, this program knows %d", ErrDamaged, record.Version, storeVersion)
	}
	if record.Cluster != id.Cluster || record.Node != id.Node {
		return 0, fmt.Errorf("%w: it belongs to node %q of cluster %q, not to node %q of cluster %q",
			ErrForeignStore, record.Node, record.Cluster, id.Node, id.Cluster)
	}
	store, err := strconv.ParseUint(record.Store, 16, 64)
	if err != nil || store == 0 {
		return 0, fmt.Errorf("%w: store id %q", ErrDamaged, record.Store)
	}
	return store, nil
}

func makeStore(engine Engine, id Identity, random func() uint64) (uint64, error) {
	store := max(random(), 1) // 0 is nobody's
	text, err := json.Marshal(storeRecord{storeVersion, StoreIDString(store), id.Cluster, id.Node})
	if err != nil {
		return 0, err
	}
	if err := engine.SetMeta(metaStore, text); err != nil {
		return 0, fmt.Errorf("write the store id: %w", err)
	}
	return store, nil
}
