package topology_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/topology/topologytest"
)

func TestStaticKeepsTheContractOfASource(t *testing.T) {
	topologytest.Run(t, func(*testing.T) (topology.Source, func(topology.Topology)) {
		return topology.Static(sample()), nil
	})
}

func TestAddrsKeepsTheContractOfASource(t *testing.T) {
	topologytest.Run(t, func(*testing.T) (topology.Source, func(topology.Topology)) {
		return topology.Addrs("shop", "n1=127.0.0.1:7401", "n2=127.0.0.1:7402"), nil
	})
}

func TestManualKeepsTheContractOfASource(t *testing.T) {
	topologytest.Run(t, func(t *testing.T) (topology.Source, func(topology.Topology)) {
		m := topology.NewManual(sample())
		return m, func(next topology.Topology) { require.NoError(t, m.Set(next)) }
	})
}

func TestStaticIsNotChangedThroughItsArgument(t *testing.T) {
	given := sample()
	src := topology.Static(given)
	given.Nodes[0].Addr = "elsewhere:1"

	got, err := src.Watch(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, "10.0.0.1:7400", got.Nodes[0].Addr)
}

func TestBadInputOfAStaticSourceShowsAtWatchByField(t *testing.T) {
	bad := sample()
	bad.Nodes[2].Addr = ""
	for name, c := range map[string]struct {
		src   topology.Source
		field string
	}{
		"static":            {topology.Static(bad), "Nodes[2].Addr"},
		"manual":            {topology.NewManual(bad), "Nodes[2].Addr"},
		"addrs without =":   {topology.Addrs("shop", "n1=h:1", "h:2"), "Nodes[1]"},
		"addrs without id":  {topology.Addrs("shop", "=h:1"), "Nodes[0].ID"},
		"addrs of no nodes": {topology.Addrs("shop"), "Nodes"},
		"addrs, no cluster": {topology.Addrs("", "n1=h:1"), "Cluster"},
		"addrs, one twice":  {topology.Addrs("shop", "n1=h:1", "n1=h:2"), "Nodes[1].ID"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.src.Watch(t.Context(), 0)
			require.Nil(t, got)
			require.ErrorIs(t, err, topology.ErrInvalid)
			require.Equal(t, []string{c.field}, fields(err))
		})
	}
}

func TestAManualRefusesWhatMayNotFollowAndKeepsWhatItHas(t *testing.T) {
	m := topology.NewManual(sample())
	for field, change := range map[string]func(*topology.Topology){
		"Epoch":      func(t *topology.Topology) { t.Epoch-- },
		"Cluster":    func(t *topology.Topology) { t.Epoch++; t.Cluster = "other" },
		"Partitions": func(t *topology.Topology) { t.Epoch++; t.Partitions *= 2 },
		"Hash":       func(t *topology.Topology) { t.Epoch++; t.Hash = 0 },
		"Nodes":      func(t *topology.Topology) { t.Epoch++; t.Nodes = nil },
	} {
		next := sample()
		change(&next)
		err := m.Set(next)
		require.ErrorIs(t, err, topology.ErrInvalid, field)
		require.Equal(t, []string{field}, fields(err))
	}
	same := sample()
	same.Nodes[0].Weight = 2
	require.Equal(t, []string{"Epoch"}, fields(m.Set(same)), "one epoch, two topologies")

	got, err := m.Watch(t.Context(), 0)
	require.NoError(t, err)
	want := sample()
	require.Equal(t, &want, got)
}

func TestAManualTakesTheTopologyThatItHas(t *testing.T) {
	m := topology.NewManual(sample())
	require.NoError(t, m.Set(sample()))
}

func TestAManualWithoutATopologyFailsUntilItIsGivenOne(t *testing.T) {
	m := topology.NewManual(topology.Topology{})
	_, err := m.Watch(t.Context(), 0)
	require.ErrorIs(t, err, topology.ErrInvalid)

	require.NoError(t, m.Set(sample()))
	got, err := m.Watch(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, uint64(7), got.Epoch)
}

func TestAManualThatFailsWakesWhoWaitsAndStillAnswersWithWhatItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := topology.NewManual(sample())
		down := errors.New("down")
		failed := make(chan error, 1)
		go func() {
			_, err := m.Watch(t.Context(), 7)
			failed <- err
		}()
		synctest.Wait() // it waits
		require.Empty(t, failed)

		m.Fail(down)
		require.ErrorIs(t, <-failed, down)
		got, err := m.Watch(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, uint64(7), got.Epoch)

		m.Fail(nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = m.Watch(ctx, 7)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// fields returns the fields that err and the errors that it joins complain of, in order.
func fields(err error) []string {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case nil:
		return nil
	case *topology.FieldError:
		return []string{e.Field}
	case interface{ Unwrap() []error }:
		var all []string
		for _, err := range e.Unwrap() {
			all = append(all, fields(err)...)
		}
		return all
	default:
		return fields(errors.Unwrap(err))
	}
}
