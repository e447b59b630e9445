package idempotency_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

func TestRecordsSurviveTheirBinaryForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := idempotency.Record{Intent: intents.Draw(t, "intent")}
		if rapid.Bool().Draw(t, "done") {
			want = idempotency.Finished(want.Intent, results.Draw(t, "result"))
		}
		b := idempotency.AppendRecord([]byte("before"), want)
		require.Equal(t, "before", string(b[:6]))
		b = b[6:]
		got, err := idempotency.DecodeRecord(b)
		require.NoError(t, err)
		require.Equal(t, b, idempotency.AppendRecord(nil, got))
		require.Equal(t, want.Done, got.Done)
		require.Equal(t, want.Result, got.Result)
		require.Equal(t, want.Intent.Fingerprint, got.Intent.Fingerprint)
		require.Equal(t, want.Intent.Op, got.Intent.Op)
		require.Equal(t, want.Intent.Policy, got.Intent.Policy)
		require.Equal(t, want.Intent.State.Clock, got.Intent.State.Clock)
		w, g := want.Intent.State.Siblings[0], got.Intent.State.Siblings[0]
		require.Equal(t, string(w.Value), string(g.Value))
		w.Value, g.Value = nil, nil
		require.Equal(t, w, g)
	})
}

func TestAFinishedRecordHasAllButTheValue(t *testing.T) {
	i, r := put("abc"), idempotency.Result{Acked: 2, Owners: 3}
	got := idempotency.Finished(i, r)
	require.True(t, got.Done)
	require.Equal(t, r, got.Result)
	require.Equal(t, i.Dot(), got.Intent.Dot())
	require.Equal(t, i.State.Clock, got.Intent.State.Clock)
	require.Empty(t, got.Intent.State.Siblings[0].Value)
	require.Equal(t, "abc", string(i.State.Siblings[0].Value), "the intent stays as it was")
}

// storedForms are committed bytes: a record written by one build is read by every other.
var storedForms = []struct {
	name, hex string
	record    idempotency.Record
}{
	{
		"unfinished", "0100" + "0102030405060700" + "1112131415161718" + "00000000000000000000000000000009" + "01" +
			"0100" + "02" + "800205" + "808c98a8c0e080810198aed8a8c1e2848911" +
			"01" + "808e98a8c0e0808101" + "98aed8a8c1e2848911" + "02" + "e807" + "03616263",
		idempotency.Record{Intent: put("abc")},
	},
	{
		"finished", "0103" + "0102030405060700" + "1112131415161718" + "00000000000000000000000000000009" + "01" + "02ff" +
			"0100" + "02" + "800205" + "808c98a8c0e080810198aed8a8c1e2848911" +
			"01" + "808e98a8c0e0808101" + "98aed8a8c1e2848911" + "02" + "e807" + "00",
		idempotency.Finished(put("abc"), idempotency.Result{Acked: 2, Owners: 255, Superseded: true}),
	},
	{
		"a delete of a last-write-wins tenant", "0100" + "0000000000000100" + "0000000000000005" + "00000000000000000000000000000009" + "02" +
			"0101" + "00" + "01" + "8002" + "05" + "01",
		idempotency.Record{Intent: idempotency.Intent{
			Fingerprint: idempotency.Fingerprint{15: 9}, Op: idempotency.Delete, Policy: vclock.LastWriteWins,
			State: vclock.State{Siblings: []vclock.Sibling{{Dot: vclock.Dot{Actor: 256, Stamp: 5}, Tombstone: true}}},
		}},
	},
}

func TestStoredFormsStayAsTheyAre(t *testing.T) {
	for _, c := range storedForms {
		require.Equal(t, c.hex, hex.EncodeToString(idempotency.AppendRecord(nil, c.record)), c.name)
		b, err := hex.DecodeString(c.hex)
		require.NoError(t, err, c.name)
		got, err := idempotency.DecodeRecord(b)
		require.NoError(t, err, c.name)
		require.Equal(t, c.hex, hex.EncodeToString(idempotency.AppendRecord(nil, got)), c.name)
	}
}

func TestTheHeadIsWhereScriptsLookForIt(t *testing.T) {
	i := put("abc")
	b := idempotency.AppendRecord(nil, idempotency.Record{Intent: i})
	require.EqualValues(t, idempotency.RecordVersion, b[0])
	require.Zero(t, b[idempotency.FlagsOffset])
	require.Equal(t, idempotency.AppendDot(nil, i.Dot()), b[idempotency.DotOffset:][:idempotency.DotLen])
	require.Equal(t, i.Fingerprint[:], b[idempotency.FingerprintOffset:][:16])

	b = idempotency.AppendRecord(nil, idempotency.Finished(i, idempotency.Result{}))
	require.EqualValues(t, idempotency.FlagDone, b[idempotency.FlagsOffset])
}

func TestWhatNoEncoderWritesIsDamaged(t *testing.T) {
	whole, err := hex.DecodeString(storedForms[0].hex)
	require.NoError(t, err)
	done, err := hex.DecodeString(storedForms[1].hex)
	require.NoError(t, err)
	for n := range whole {
		refused(t, whole[:n], "the first %d bytes", n)
	}
	for n := range done {
		refused(t, done[:n], "the first %d bytes, finished", n)
	}
	change := func(b []byte, at int, to byte) []byte {
		b = append([]byte{}, b...)
		b[at] = to
		return b
	}
	refused(t, append(whole[:len(whole):len(whole)], 0), "a byte more")
	refused(t, change(whole, 0, 0), "version 0")
	refused(t, change(whole, 0, 2), "version 2")
	refused(t, change(whole, 1, 2), "superseded and not done")
	refused(t, change(whole, 1, 4), "a flag of none")
	refused(t, change(whole, 2, 9), "another actor in the head")
	refused(t, change(whole, 17, 9), "another stamp in the head")
	refused(t, change(whole, 33, 0), "no fingerprint")
	refused(t, change(whole, 34, 0), "operation 0")
	refused(t, change(whole, 34, 4), "operation 4")
	refused(t, change(whole, 34, 2), "a delete of a value")
	refused(t, change(whole, 36, 1), "the other policy")

	full := append([]byte{}, done...)
	full[len(full)-1] = 1
	refused(t, append(full, 'x'), "finished, with a value")
}

func refused(t *testing.T, b []byte, why string, args ...any) {
	t.Helper()
	_, err := idempotency.DecodeRecord(b)
	msg := append([]any{why}, args...)
	require.ErrorIs(t, err, idempotency.ErrDamaged, msg...)
	require.NotErrorIs(t, err, idempotency.ErrInvalid, msg...)
}

func FuzzDecodeRecord(f *testing.F) {
	for _, c := range storedForms {
		b, err := hex.DecodeString(c.hex)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := idempotency.DecodeRecord(b)
		if err != nil {
			require.ErrorIs(t, err, idempotency.ErrDamaged)
			return
		}
		require.NoError(t, r.Intent.Validate())
		require.NoError(t, r.Result.Validate())
		require.Equal(t, b, idempotency.AppendRecord(nil, r))
	})
}
