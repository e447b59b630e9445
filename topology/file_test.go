package topology_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/topology/topologytest"
)

func TestFileKeepsTheContractOfASource(t *testing.T) {
	topologytest.Run(t, func(t *testing.T) (topology.Source, func(topology.Topology)) {
		path := filepath.Join(t.TempDir(), "topology.json")
		replace(t, path, sample())
		return topology.File(path, topology.PollEvery(time.Millisecond)), func(next topology.Topology) {
			replace(t, path, next)
		}
	})
}

func TestAWaitingFileSourceLooksAtItsFileEveryTwoSeconds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "topology.json")
	replace(t, path, sample())
	synctest.Test(t, func(t *testing.T) {
		src := topology.File(path)
		begun := time.Now()
		next := sample()
		next.Epoch = 8
		time.AfterFunc(topology.DefaultPoll+time.Millisecond, func() { replace(t, path, next) })

		got, err := src.Watch(t.Context(), 7)
		require.NoError(t, err)
		require.Equal(t, uint64(8), got.Epoch)
		require.Equal(t, 2*topology.DefaultPoll, time.Since(begun)) // the bubble's time
	})
}

func TestAChangeOfTheSameSizeAndTimeIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "topology.json")
	replace(t, path, sample())
	at := time.Unix(1_700_000_000, 0)
	require.NoError(t, os.Chtimes(path, at, at))
	src := topology.File(path, topology.PollEvery(time.Millisecond))
	_, err := src.Watch(t.Context(), 0)
	require.NoError(t, err)

	next := sample()
	next.Epoch = 8
	replace(t, path, next)
	require.NoError(t, os.Chtimes(path, at, at))
	got, err := src.Watch(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, uint64(8), got.Epoch)
}

func TestAFileThatMayNotFollowIsAnErrorAndTheTopologyBeforeStaysInForce(t *testing.T) {
	changed := sample()
	changed.Nodes[0].Weight = 3
	older := sample()
	older.Epoch = 6
	moved := sample()
	moved.Epoch, moved.Cluster = 8, "other"
	noNodes := sample()
	noNodes.Epoch, noNodes.Nodes = 8, nil
	for name, c := range map[string]struct {
		text string
		says string
	}{
		"one epoch, other content": {encode(t, changed), "is still 7 though the topology has changed; raise it"},
		"an older epoch":           {encode(t, older), "goes back from 7 to 6"},
		"another cluster":          {encode(t, moved), "Cluster: cannot change"},
		"a broken rule":            {encode(t, noNodes), "Nodes: is empty"},
		"half a file":              {encode(t, sample())[:40], "line 4: the text ends too early"},
		"an empty file":            {"", "line 1: the text ends too early"},
		"too large a file":         {strings.Repeat(" ", topology.MaxFileBytes+1), "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "topology.json")
			replace(t, path, sample())
			src := topology.File(path, topology.PollEvery(time.Millisecond))
			first, err := src.Watch(t.Context(), 0)
			require.NoError(t, err)

			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
			for range 2 { // for as long as it lasts
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				_, err = src.Watch(ctx, 7)
				cancel()
				require.ErrorIs(t, err, topology.ErrInvalid)
				require.ErrorContains(t, err, path) // for people: which file, and what about it
				require.ErrorContains(t, err, c.says)
			}
			got, err := src.Watch(t.Context(), 0)
			require.NoError(t, err)
			require.Same(t, first, got)

			mended := sample()
			mended.Epoch = 8
			replace(t, path, mended)
			got, err = src.Watch(t.Context(), 7)
			require.NoError(t, err)
			require.Equal(t, uint64(8), got.Epoch)
		})
	}
}

func TestAFileThatIsWrittenAnewWithTheSameMeaningIsNoChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "topology.json")
	replace(t, path, sample())
	src := topology.File(path, topology.PollEvery(time.Millisecond))
	_, err := src.Watch(t.Context(), 0)
	require.NoError(t, err)

	again := sample()
	again.Nodes[0], again.Nodes[2] = again.Nodes[2], again.Nodes[0]
	again.Nodes[0].Weight = 1
	replace(t, path, again)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = src.Watch(ctx, 7)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestAFileThatCannotBeReadIsATemporaryError(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{"missing": filepath.Join(dir, "none.json"), "a directory": dir} {
		_, err := topology.File(path).Watch(t.Context(), 0)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, topology.ErrInvalid, name)
	}
	path := filepath.Join(dir, "late.json")
	src := topology.File(path)
	_, err := src.Watch(t.Context(), 0)
	require.ErrorIs(t, err, fs.ErrNotExist)
	replace(t, path, sample())
	_, err = src.Watch(t.Context(), 0)
	require.NoError(t, err)

	require.NoError(t, os.Remove(path))
	_, err = src.Watch(t.Context(), 7)
	require.ErrorIs(t, err, fs.ErrNotExist)
	got, err := src.Watch(t.Context(), 0)
	require.NoError(t, err, "what was read before stays in force")
	require.Equal(t, uint64(7), got.Epoch)
}

func encode(t testing.TB, top topology.Topology) string {
	t.Helper()
	text, err := json.MarshalIndent(top, "", "  ")
	require.NoError(t, err)
	return string(text)
}

// replace puts the topology in the file in one step, as operators should.
func replace(t *testing.T, path string, top topology.Topology) {
	t.Helper()
	scratch := path + ".next"
	require.NoError(t, os.WriteFile(scratch, []byte(encode(t, top)), 0o600))
	require.NoError(t, os.Rename(scratch, path))
}
