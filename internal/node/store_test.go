package node

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
)

func TestAStoreThatLostItsRecordIsDamagedAndGetsNoFreshID(t *testing.T) {
	withKeys, withFloor := NewMemory(), NewMemory()
	require1(t, storagepb.Status_OK, open(t, withKeys, Config{}).Do(write("k", at(1, 0), nil, "v")))
	require1(t, storagepb.Status_TOO_OLD, open(t, withFloor, Config{}).Do(write("k", at(1, -time.Hour), nil, "v")))
	for name, engine := range map[string]*Memory{"keys": withKeys, "a floor": withFloor} {
		t.Run(name, func(t *testing.T) {
			delete(engine.meta, metaStore)
			_, err := New(engine, here, Config{})
			require.ErrorIs(t, err, ErrDamaged)
			require.NotContains(t, engine.meta, metaStore)
		})
	}
}

// An unread is an engine whose Scan fails.
type unread struct{ *Memory }

var errUnread = errors.New("input/output error")

func (unread) Scan(_, _ []byte, _ func(_, _ []byte) error) error { return errUnread }

func TestAStoreThatCannotBeLookedIntoGetsNoID(t *testing.T) {
	engine := unread{NewMemory()}
	_, err := New(engine, here, Config{})
	require.ErrorIs(t, err, errUnread)
	require.Empty(t, engine.meta)
}

func TestAStoreRecordSaysByItsErrorWhatIsWrongWithIt(t *testing.T) {
	for name, c := range map[string]struct {
		record string
		err    error
	}{
		"newer":                  {`{"version":2,"store":"0000000000000001","cluster":"test","node":"n1"}`, ErrVersion},
		"newer, of other fields": {`{"version":3,"store":{"id":1},"cluster":7}`, ErrVersion},
		"no version":             {`{"store":"0000000000000001","cluster":"test","node":"n1"}`, ErrDamaged},
		"no text":                {`{"version":1,`, ErrDamaged},
		"no id":                  {`{"version":1,"store":"","cluster":"test","node":"n1"}`, ErrDamaged},
		"another's":              {`{"version":1,"store":"0000000000000001","cluster":"test","node":"n2"}`, ErrForeignStore},
	} {
		t.Run(name, func(t *testing.T) {
			engine := NewMemory()
			require.NoError(t, engine.SetMeta(metaStore, []byte(c.record)))
			_, err := New(engine, here, Config{})
			require.ErrorIs(t, err, c.err)
			if errors.Is(c.err, ErrVersion) {
				require.NotErrorIs(t, err, ErrDamaged)
			}
		})
	}
}
