package node

import (
	"encoding/json"
	"errors"
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
	record, err := decodeRecord(text)
	if err != nil {
		return 0, err
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

// decodeRecord looks at the version first: what else a newer record holds is unknown.
func decodeRecord(text []byte) (record storeRecord, err error) {
	var head struct {
		Version int `json:"version"`
	}
	err = json.Unmarshal(text, &head)
	switch {
	case err != nil:
	case head.Version > storeVersion:
		return record, fmt.Errorf("%w: its record has version %d, this program knows %d; run that program", ErrVersion, head.Version, storeVersion)
	case head.Version < 1:
		return record, fmt.Errorf("%w: store record has version %d", ErrDamaged, head.Version)
	default:
		err = json.Unmarshal(text, &record)
	}
	if err != nil {
		return record, fmt.Errorf("%w: store record: %w", ErrDamaged, err)
	}
	return record, nil
}

var errFound = errors.New("found")

// requireEmpty returns an error if the engine holds anything. A store without its
// record has lost it, and perhaps more: a fresh id would hide that.
func requireEmpty(engine Engine) error {
	floor, err := engine.Meta(metaFloor)
	if err != nil {
		return fmt.Errorf("read the window's floor: %w", err)
	}
	err = engine.Scan(nil, nil, func(_, _ []byte) error { return errFound })
	switch {
	case errors.Is(err, errFound), err == nil && floor != nil:
		return fmt.Errorf("%w: it holds data, but no record of which node it is for", ErrDamaged)
	case err != nil:
		return fmt.Errorf("look for data: %w", err)
	}
	return nil
}

func makeStore(engine Engine, id Identity, random func() uint64) (uint64, error) {
	if err := requireEmpty(engine); err != nil {
		return 0, err
	}
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
