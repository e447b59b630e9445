package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// The generated code is the oracle: what it reads and writes, this package does.

func anyState(t *rapid.T) vclock.State {
	var s vclock.State
	for range rapid.IntRange(0, 5).Draw(t, "clock") {
		s.Clock = append(s.Clock, vclock.Dot{Actor: vclock.Actor(rapid.Uint64().Draw(t, "actor")), Stamp: vclock.Stamp(rapid.Uint64().Draw(t, "stamp"))})
	}
	for range rapid.IntRange(0, 3).Draw(t, "siblings") {
		sib := vclock.Sibling{
			Dot:       vclock.Dot{Actor: vclock.Actor(rapid.Uint64().Draw(t, "actor")), Stamp: vclock.Stamp(rapid.Uint64().Draw(t, "stamp"))},
			Tombstone: rapid.Bool().Draw(t, "tombstone"),
			Expires:   rapid.Int64().Draw(t, "expires"),
		}
		if v := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "value"); len(v) > 0 {
			sib.Value = v
		}
		s.Siblings = append(s.Siblings, sib)
	}
	return s
}

func anyOperation(t *rapid.T) Operation {
	return Operation{
		Id: rapid.Uint64().Draw(t, "id"), Kind: storagepb.Kind(rapid.IntRange(0, 9).Draw(t, "kind")),
		Epoch: rapid.Uint64().Draw(t, "epoch"), TimeoutMs: rapid.Uint32().Draw(t, "timeout"),
		Tenant: rapid.String().Draw(t, "tenant"), Key: []byte(rapid.String().Draw(t, "key")),
		Policy: storagepb.Policy(rapid.IntRange(0, 3).Draw(t, "policy")), Origin: storagepb.Origin(rapid.IntRange(0, 3).Draw(t, "origin")),
		State: anyState(t),
	}
}

func anyAnswer(t *rapid.T) Answer {
	return Answer{
		Id: rapid.Uint64().Draw(t, "id"), Status: storagepb.Status(rapid.IntRange(0, 30).Draw(t, "status")),
		Detail: rapid.String().Draw(t, "detail"), State: anyState(t), Digest: rapid.Uint64().Draw(t, "digest"),
		Live: rapid.Bool().Draw(t, "live"), Seen: rapid.Bool().Draw(t, "seen"),
	}
}

func generatedOperation(op *Operation) *storagepb.Operation {
	return &storagepb.Operation{
		Id: op.Id, Kind: op.Kind, Epoch: op.Epoch, TimeoutMs: op.TimeoutMs, Tenant: op.Tenant, Key: op.Key,
		Policy: op.Policy, Origin: op.Origin, State: FromState(op.State),
	}
}

func generatedAnswer(a *Answer) *storagepb.Answer {
	return &storagepb.Answer{
		Id: a.Id, Status: a.Status, Detail: a.Detail, State: FromState(a.State), Digest: a.Digest, Live: a.Live, Seen: a.Seen,
	}
}

func TestFramesAreWrittenAsTheGeneratedCodeWritesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var operations, answers []byte
		var clientFrame storagepb.ClientFrame
		var serverFrame storagepb.ServerFrame
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			op, a := anyOperation(t), anyAnswer(t)
			operations = AppendOperation(operations, &op, string(op.Key))
			answers = AppendAnswer(answers, &a)
			clientFrame.Operations = append(clientFrame.Operations, generatedOperation(&op))
			serverFrame.Answers = append(serverFrame.Answers, generatedAnswer(&a))
		}
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(&clientFrame)
		require.NoError(t, err)
		require.Equal(t, want, append([]byte{}, operations...))
		want, err = proto.MarshalOptions{Deterministic: true}.Marshal(&serverFrame)
		require.NoError(t, err)
		require.Equal(t, want, append([]byte{}, answers...))
	})
}

func FuzzFramesAreReadAsTheGeneratedCodeReadsThem(f *testing.F) {
	dot := vclock.Dot{Actor: 512, Stamp: 7}
	state := vclock.State{Clock: vclock.Clock{dot}, Siblings: []vclock.Sibling{{Dot: dot, Value: []byte("v")}}}
	op := Operation{Id: 300, Kind: storagepb.Kind_MERGE, TimeoutMs: 9, Tenant: "t", Key: []byte("k"), State: state}
	f.Add(AppendOperation(AppendOperation(nil, &op, "k"), &op, "k"))
	f.Add(AppendAnswer(nil, &Answer{Id: 1, Status: storagepb.Status_OK, Detail: "d", State: state, Digest: 3, Live: true, Seen: true}))
	f.Add([]byte{frameItems, 2, opID, 1, frameItems, 4, opState, 2, stActors, 0}) // an empty column
	f.Add(append([]byte{frameItems, 11, opState, 9, 1<<3 | fixed64}, 1, 2, 3, 4, 5, 6, 7, 8))
	f.Add([]byte{1<<3 | length, 2, 8, 1, frameItems, 3, 10 << 3, 200, 1})            // a hello, and a field that is not known
	f.Add([]byte{frameItems | 0x80, 0, 7, opID | 0x80, 0x80, 0, 0x81, 0, opKind, 2}) // numbers that are longer than they need be
	f.Fuzz(func(t *testing.T, frame []byte) {
		if hasGroups(frame) {
			return
		}
		agreeOnOperations(t, frame)
		agreeOnAnswers(t, frame)
	})
}

// hasGroups reports whether the generated code's treatment of groups might matter.
func hasGroups(b []byte) bool {
	for len(b) > 0 {
		_, typ, n := protowire.ConsumeField(b)
		if n < 0 {
			return false
		}
		if typ == protowire.StartGroupType || typ == protowire.EndGroupType {
			return true
		}
		b = b[n:]
	}
	return false
}

func agreeOnOperations(t *testing.T, frame []byte) {
	var want storagepb.ClientFrame
	wantErr := proto.Unmarshal(frame, &want)
	got, hello, err := Operations(frame, nil)
	if err == nil && hello != nil && proto.Unmarshal(hello, new(storagepb.Hello)) != nil {
		return // it is for who reads the hello to find out
	}
	require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
	if err != nil {
		require.ErrorIs(t, err, ErrMalformed)
		return
	}
	require.Equal(t, want.Hello != nil, hello != nil)
	require.Len(t, got, len(want.Operations))
	for i := range got {
		w := want.Operations[i]
		state, err := ToState(w.State)
		require.Equal(t, err != nil, got[i].Columns)
		require.Equal(t, state, got[i].State)
		require.Equal(t, string(w.Key), string(got[i].Key))
		require.Equal(t, []any{w.Id, w.Kind, w.Epoch, w.TimeoutMs, w.Tenant, w.Policy, w.Origin},
			[]any{got[i].Id, got[i].Kind, got[i].Epoch, got[i].TimeoutMs, got[i].Tenant, got[i].Policy, got[i].Origin})
	}
}

func agreeOnAnswers(t *testing.T, frame []byte) {
	var want storagepb.ServerFrame
	wantErr := proto.Unmarshal(frame, &want)
	got, welcome, err := Answers(frame, nil)
	if err == nil && welcome != nil && proto.Unmarshal(welcome, new(storagepb.Welcome)) != nil {
		return // as above
	}
	require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
	if err != nil {
		require.ErrorIs(t, err, ErrMalformed)
		return
	}
	require.Len(t, got, len(want.Answers))
	for i := range got {
		w := want.Answers[i]
		state, err := ToState(w.State)
		require.Equal(t, err != nil, got[i].Columns)
		require.Equal(t, state, got[i].State)
		require.Equal(t, []any{w.Id, w.Status, w.Detail, w.Digest, w.Live, w.Seen},
			[]any{got[i].Id, got[i].Status, got[i].Detail, got[i].Digest, got[i].Live, got[i].Seen})
	}
}
