package snapshot

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"pgregory.net/rapid"
)

// All 16-bit floats, by the definition of IEEE 754 binary16.
func TestHalves(t *testing.T) {
	for bits := range 1 << 16 {
		sign, exponent, fraction := 1-float64(bits>>15)*2, bits>>10&31, float64(bits&1023)/1024
		want := sign * math.Ldexp(1+fraction, exponent-15)
		switch {
		case exponent == 0:
			want = sign * math.Ldexp(fraction, -14)
		case exponent == 31 && fraction == 0:
			want = math.Inf(int(sign))
		case exponent == 31:
			want = math.NaN()
		}
		var out [1]float32
		err := halves(out[:], []parquet.FixedLenByteArray{binary.LittleEndian.AppendUint16(nil, uint16(bits))})
		if got := float64(out[0]); err != nil || got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("half %#04x is %v (%v), want %v", bits, got, err, want)
		}
	}
	if halves(make([]float32, 1), []parquet.FixedLenByteArray{{1, 2, 3}}) == nil {
		t.Error("a half of 3 bytes was read")
	}
}

func TestNarrow(t *testing.T) {
	check := func(v int32, fits bool, err error) {
		t.Helper()
		if (err == nil) != fits {
			t.Errorf("%d: error %v, want that it fits: %v", v, err, fits)
		}
	}
	for v, fits := range map[int32]bool{-129: false, -128: true, 127: true, 128: false, 256: false} {
		check(v, fits, narrow(make([]int8, 1), []int32{v}))
	}
	for v, fits := range map[int32]bool{-1: false, 0: true, 255: true, 256: false} {
		check(v, fits, narrow(make([]uint8, 1), []int32{v}))
	}
	for v, fits := range map[int32]bool{-32769: false, -32768: true, 32767: true, 65535: false} {
		check(v, fits, narrow(make([]int16, 1), []int32{v}))
	}
	for v, fits := range map[int32]bool{-1: false, 65535: true, 65536: false, math.MinInt32: false} {
		check(v, fits, narrow(make([]uint16, 1), []int32{v}))
	}
}

func TestInstants(t *testing.T) {
	for _, at := range []time.Time{
		time.Unix(0, 0).UTC(), time.Date(2026, 11, 22, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(1677, 9, 22, 0, 0, 0, 1, time.UTC), time.Date(2262, 4, 10, 23, 59, 59, 1, time.UTC),
	} {
		midnight := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
		in := int96(uint64(at.Sub(midnight)), uint32(midnight.Unix()/86400+2440588))
		var out [1]int64
		if err := instants(out[:], []parquet.Int96{in}); err != nil || out[0] != at.UnixNano() {
			t.Errorf("%v read as %v, %v", at, time.Unix(0, out[0]).UTC(), err)
		}
	}
	for name, in := range map[string]parquet.Int96{
		"9999-12-31": int96(0, 5373484), "0001-01-01": int96(0, 1721426), "a day of 25 hours": int96(25*3600*1e9, julianUnixEpoch),
		"a negative time of day": int96(math.MaxUint64, julianUnixEpoch),
	} {
		if err := instants(make([]int64, 1), []parquet.Int96{in}); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func int96(nanos uint64, julianDay uint32) (v parquet.Int96) {
	binary.LittleEndian.PutUint64(v[:], nanos)
	binary.LittleEndian.PutUint32(v[8:], julianDay)
	return v
}

// Decimals of any length against math/big.
func TestDecimalsLikeBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(t, "bytes")
		padding := rapid.IntRange(0, 5).Draw(t, "padding")
		want := new(big.Int).SetBytes(b)
		if b[0] >= 0x80 {
			want.Sub(want, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		sign := byte(int8(b[0]) >> 7)
		for range padding {
			b = append([]byte{sign}, b...)
		}
		w, err := wideBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.decimal256(); err != nil || got.BigInt().Cmp(want) != 0 {
			t.Fatalf("%x is %v (%v), want %v", b, got.BigInt(), err, want)
		}
		got, err := w.decimal128()
		fits := want.Cmp(new(big.Int).Lsh(big.NewInt(1), 127)) < 0 && want.Cmp(new(big.Int).Lsh(big.NewInt(-1), 127)) >= 0
		if (err == nil) != fits || fits && got.BigInt().Cmp(want) != 0 {
			t.Fatalf("%x is %v (%v) in 128 bits, want %v", b, got.BigInt(), err, want)
		}
	})
}

// Decimals as bytes of any length, which pqarrow does not write.
func TestDecimalsInByteArrays(t *testing.T) {
	b := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
	for _, v := range []string{"\x7b", "\x85", "\xff\xff\xff\x85", "\x01\x00", strings.Repeat("\xff", 40)} {
		b.Append([]byte(v))
	}
	f := openBytes(t, withConverted(t, oneColumn(t, "c", b.NewArray(), false, uncompressed), 5))
	err := eachBatch(f, []string{"c"}, func(b arrow.RecordBatch) {
		if got := b.Column(0).String(); got != `[1.23 -1.23 -1.23 2.56 -0.01]` {
			t.Errorf("decimals %s", got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	wide := openBytes(t, withFooter(t, oneColumn(t, "c", oneOf(arrow.PrimitiveTypes.Int32), false, uncompressed), func(m *metadata.FileMetaData) {
		e := m.FileMetaData.Schema[1]
		e.Precision, e.Scale, e.ConvertedType = of(int32(40)), of(int32(0)), of(enum(e.GetConvertedType(), 5))
		e.LogicalType = nil
	}))
	err = eachBatch(wide, []string{"c"}, func(b arrow.RecordBatch) {
		if got := b.Column(0).(*array.Decimal256).ValueStr(0); got != "0" {
			t.Errorf("decimal %s", got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDecimalsThatDoNotFit(t *testing.T) {
	long := make([]byte, 33)
	long[0] = 1
	for _, b := range [][]byte{nil, long} {
		if _, err := fromBytes(b, wide.decimal128); err == nil {
			t.Errorf("decimal %x was read", b)
		}
	}
	failed := errors.New("no")
	err := eachValue(func(int32) (decimal128.Num, error) { return decimal128.Num{}, failed })(make([]decimal128.Num, 1), []int32{1})
	if !errors.Is(err, failed) {
		t.Errorf("error %v, want %v", err, failed)
	}
}
