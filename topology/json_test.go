package topology_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/topology"
)

func TestTheFileFormIsThisOne(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "shop.json"))
	require.NoError(t, err)
	require.Equal(t, string(golden), encode(t, sample())+"\n")

	var got topology.Topology
	require.NoError(t, json.Unmarshal(golden, &got))
	require.Equal(t, sample(), got)
}

func TestWhatIsLeftOutHasItsDefault(t *testing.T) {
	var got topology.Topology
	require.NoError(t, json.Unmarshal([]byte(`{"cluster":"c","epoch":1,"nodes":[{"id":"n1","addr":"h:1"}]}`), &got))
	require.Equal(t, topology.Topology{Cluster: "c", Epoch: 1, Nodes: []topology.Node{{ID: "n1", Addr: "h:1"}}}, got)
	spelled := topology.Topology{Cluster: "c", Epoch: 1, Partitions: topology.DefaultPartitions,
		Nodes: []topology.Node{{ID: "n1", Addr: "h:1", Weight: 1}}}
	require.True(t, got.Equal(&spelled))
}

func TestTheDecoderRefusesByLineAndPath(t *testing.T) {
	const good = `{
  "cluster": "shop",
  "epoch": 7,
  "partitions": 64,
  "hash": "sha256",
  "nodes": [
    {"id": "n1", "addr": "h:1"},
    {"id": "n2", "addr": "h:2", "weight": 2,
     "zone": "a", "state": "draining", "storeId": "ff"}
  ]
}
`
	require.NoError(t, new(topology.Topology).UnmarshalJSON([]byte(good)))
	for name, c := range map[string]struct {
		old, new string
		line     int
		says     string
	}{
		"misspelt":             {`"zone"`, `"zoen"`, 9, `nodes[1]: there is no field "zoen"`},
		"another case":         {`"epoch"`, `"Epoch"`, 3, `there is no field "Epoch"`},
		"twice":                {`"hash"`, `"epoch"`, 5, `the field "epoch" is there twice`},
		"missing":              {`, "addr": "h:1"`, ``, 7, `nodes[0]: the field "addr" is missing`},
		"missing at the top":   {`"cluster": "shop",`, ``, 11, `the field "cluster" is missing`},
		"epoch below 0":        {`7`, `-7`, 3, `epoch: -7 is not a whole number`},
		"epoch with a point":   {`7`, `7.5`, 3, `epoch: 7.5 is not a whole number`},
		"epoch as text":        {`7`, `"7"`, 3, `epoch: the value is not a number`},
		"epoch past 64 bits":   {`7`, `18446744073709551616`, 3, `epoch: 18446744073709551616 is not`},
		"partitions 0":         {`64`, `0`, 4, `partitions: 0 is not a power of two`},
		"unknown hash":         {`sha256`, `md5`, 5, `hash: "md5" is no hash`},
		"weight 0":             {`2,`, `0,`, 8, `nodes[1].weight: 0 is no weight`},
		"weight past float64":  {`2,`, `1e999,`, 8, `nodes[1].weight: 1e999 is no weight`},
		"weight null":          {`2,`, `null,`, 8, `nodes[1].weight: the value is not a number`},
		"unknown state":        {`draining`, `down`, 9, `nodes[1].state: "down" is neither active nor draining`},
		"a store id of 0":      {`"ff"`, `"0"`, 9, `nodes[1].storeId: "0" is not 1 to 16 hex digits`},
		"a store id not hex":   {`"ff"`, `"0xff"`, 9, `nodes[1].storeId: "0xff" is not 1 to 16 hex digits`},
		"a long store id":      {`"ff"`, `"000000000000000ff"`, 9, `is not 1 to 16 hex digits`},
		"a store id as number": {`"ff"`, `255`, 9, `nodes[1].storeId: the value is not a string`},
		"a node as text":       {`{"id": "n1", "addr": "h:1"}`, `"n1"`, 7, `nodes[0]: the value does not begin with {`},
		"nodes as an object":   {"[\n", "{\n", 6, `nodes: the value does not begin with [`},
		"a comma too many":     {"\"ff\"}\n", "\"ff\"},\n", 10, `nodes[2]`},
		"a comma too few":      {"7,", "7", 4, `invalid character`},
		"text behind":          {"}\n", "}\n\n{}", 8, ``},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if name == "text behind" {
				text, c.line, c.says = good+"\n{}", 13, "text after the end"
			}
			before := sample()
			got := sample()
			err := got.UnmarshalJSON([]byte(text))
			require.ErrorIs(t, err, topology.ErrInvalid)
			var syntax *topology.SyntaxError
			require.True(t, errors.As(err, &syntax))
			require.Equal(t, c.line, syntax.Line, syntax.Reason)
			require.Contains(t, syntax.Reason, c.says)
			require.Equal(t, before, got, "a refusal changes nothing")
		})
	}
}

func TestWhatHasNoNameCannotBeWritten(t *testing.T) {
	top := sample()
	top.Hash = 9
	_, err := json.Marshal(top)
	require.ErrorIs(t, err, topology.ErrInvalid)
	top = sample()
	top.Nodes[0].State = 9
	_, err = json.Marshal(top)
	require.ErrorIs(t, err, topology.ErrInvalid)
	top = sample()
	top.Nodes[0].Weight = math.NaN()
	_, err = json.Marshal(top)
	require.Error(t, err)
}

func TestANodeSurvivesJSONByItself(t *testing.T) {
	for _, want := range sample().Nodes {
		text, err := json.Marshal(want)
		require.NoError(t, err)
		var got topology.Node
		require.NoError(t, json.Unmarshal(text, &got))
		require.Equal(t, want, got)
	}
	require.ErrorIs(t, new(topology.Node).UnmarshalJSON([]byte(`{"id":"n1","addr":"h:1"} x`)), topology.ErrInvalid)
}

func TestAStateSurvivesItsName(t *testing.T) {
	for _, s := range []topology.NodeState{topology.Active, topology.Draining} {
		got, err := topology.ParseNodeState(s.String())
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
	require.Equal(t, "NodeState(7)", topology.NodeState(7).String())
	_, err := topology.ParseNodeState("NodeState(7)")
	require.ErrorIs(t, err, topology.ErrInvalid)
}

func TestACloneSharesNothing(t *testing.T) {
	top := sample()
	clone := top.Clone()
	require.True(t, top.Equal(clone))
	clone.Nodes[0].ID = "other"
	require.Equal(t, topology.NodeID("n1"), top.Nodes[0].ID)
	require.False(t, top.Equal(clone))
	require.Nil(t, (*topology.Topology)(nil).Clone())
	require.False(t, top.Equal(nil))
}

func TestANodeIsFoundByItsID(t *testing.T) {
	top := sample()
	n, ok := top.Node("n2")
	require.True(t, ok)
	require.Equal(t, topology.Draining, n.State)
	_, ok = top.Node("N2")
	require.False(t, ok)
}

// FuzzUnmarshal holds that any input is refused as ErrInvalid with a line that
// exists, or is JSON and survives being written and read again, and then either
// breaks a rule or has a ring's input.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(encode(f, sample())))
	f.Fuzz(func(t *testing.T, text []byte) {
		var top topology.Topology
		if err := top.UnmarshalJSON(text); err != nil {
			var syntax *topology.SyntaxError
			require.True(t, errors.As(err, &syntax), "%v", err)
			require.GreaterOrEqual(t, syntax.Line, 1)
			require.LessOrEqual(t, syntax.Line, 1+strings.Count(string(text), "\n"))
			return
		}
		require.True(t, json.Valid(text))
		written, err := json.Marshal(top)
		require.NoError(t, err)
		var again topology.Topology
		require.NoError(t, again.UnmarshalJSON(written), "%s", written)
		require.True(t, top.Equal(&again), "%s", written)
		if err := top.Validate(); err != nil {
			require.ErrorIs(t, err, topology.ErrInvalid)
		}
	})
}
