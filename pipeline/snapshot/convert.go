package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/parquet"
)

// narrow converts 32-bit integers to the width that their column declares.
func narrow[T int8 | int16 | uint8 | uint16](out []T, in []int32) error {
	for i, v := range in {
		out[i] = T(v)
		if int32(out[i]) != v {
			return fmt.Errorf("found %d, which does not fit the integer type of the column", v)
		}
	}
	return nil
}

// halves converts 16-bit floats (IEEE 754 binary16); every one has an equal 32-bit
// float. arrow-go's own conversion is wrong for subnormal numbers.
func halves(out []float32, in []parquet.FixedLenByteArray) error {
	for i, v := range in {
		if len(v) != 2 {
			return fmt.Errorf("found a 16-bit float of %d bytes", len(v))
		}
		out[i] = half(binary.LittleEndian.Uint16(v))
	}
	return nil
}

func half(bits uint16) float32 {
	const infinite = 0x7c00
	sign, magnitude := uint32(bits>>15)<<31, uint32(bits&0x7fff)<<13
	if bits&infinite == infinite {
		return math.Float32frombits(sign | 0x7f800000 | magnitude)
	}
	scaled := math.Float32frombits(magnitude) * 0x1p112 // exact: from exponent bias 15 to 127
	return math.Float32frombits(sign | math.Float32bits(scaled))
}

const (
	nanosPerDay     = 24 * 60 * 60 * 1_000_000_000
	julianUnixEpoch = 2440588 // Julian day number of 1970-01-01
)

// instants converts INT96 timestamps (nanoseconds of the day, Julian day number) to
// nanoseconds since 1970, which reach from 1677 to 2262.
func instants(out []int64, in []parquet.Int96) error {
	for i, v := range in {
		nanos := int64(binary.LittleEndian.Uint64(v[:8]))
		day := int64(binary.LittleEndian.Uint32(v[8:])) - julianUnixEpoch
		if day < math.MinInt64/nanosPerDay || day >= math.MaxInt64/nanosPerDay || nanos < 0 || nanos > nanosPerDay {
			return fmt.Errorf("found an INT96 timestamp %d days after 1970-01-01, outside of what nanoseconds hold; write it as TIMESTAMP in microseconds", day)
		}
		out[i] = day*nanosPerDay + nanos
	}
	return nil
}

// wide is a two's complement number of 256 bits, its highest word first.
type wide [4]uint64

func wideInt(v int64) wide {
	sign := uint64(v >> 63)
	return wide{sign, sign, sign, uint64(v)}
}

// wideBytes reads a big-endian number of any length that fits.
func wideBytes(b []byte) (wide, error) {
	if len(b) == 0 {
		return wide{}, errors.New("found a decimal of no bytes")
	}
	sign := byte(int8(b[0]) >> 7)
	for len(b) > bytes256 && b[0] == sign && b[1]>>7 == sign&1 {
		b = b[1:]
	}
	if len(b) > bytes256 {
		return wide{}, fmt.Errorf("found a decimal of %d bytes, more than %d", len(b), bytes256)
	}
	var padded [bytes256]byte
	for i := range padded[:bytes256-len(b)] {
		padded[i] = sign
	}
	copy(padded[bytes256-len(b):], b)
	var w wide
	for i := range w {
		w[i] = binary.BigEndian.Uint64(padded[8*i:])
	}
	return w, nil
}

func (w wide) decimal128() (decimal128.Num, error) {
	if sign := uint64(int64(w[2]) >> 63); w[0] != sign || w[1] != sign {
		return decimal128.Num{}, errors.New("found a decimal of more than 128 bits, more than its precision allows")
	}
	return decimal128.New(int64(w[2]), w[3]), nil
}

func (w wide) decimal256() (decimal256.Num, error) {
	return decimal256.New(w[0], w[1], w[2], w[3]), nil
}

// decimals decodes decimals from any physical type.
func decimals[T any](p parquet.Type, to func(wide) (T, error)) decoder[T] {
	switch p {
	case parquet.Types.Int32:
		return converted(eachValue(func(v int32) (T, error) { return to(wideInt(int64(v))) }))
	case parquet.Types.Int64:
		return converted(eachValue(func(v int64) (T, error) { return to(wideInt(v)) }))
	case parquet.Types.ByteArray:
		return converted(eachValue(func(v parquet.ByteArray) (T, error) { return fromBytes(v, to) }))
	}
	return converted(eachValue(func(v parquet.FixedLenByteArray) (T, error) { return fromBytes(v, to) }))
}

func fromBytes[T any](b []byte, to func(wide) (T, error)) (T, error) {
	w, err := wideBytes(b)
	if err != nil {
		var zero T
		return zero, err
	}
	return to(w)
}

func eachValue[P, T any](convert func(P) (T, error)) func(out []T, in []P) error {
	return func(out []T, in []P) (err error) {
		for i, v := range in {
			if out[i], err = convert(v); err != nil {
				return err
			}
		}
		return nil
	}
}
