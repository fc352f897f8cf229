package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/churntier/churntier/pipeline/objstore"
)

const contentType = "application/octet-stream"

func (b s3Bucket) once() writer {
	b.ends = []func(*s3.Options){func(o *s3.Options) { o.Retryer = aws.NopRetryer{} }}
	return b
}

func (b s3Bucket) whole(ctx context.Context, key string, cond objstore.Condition, data []byte) (string, error) {
	in := &s3.PutObjectInput{
		Bucket: &b.name, Key: &key, Body: bytes.NewReader(data), ContentType: aws.String(contentType),
		ChecksumCRC32C: crc32cText(objstore.ChecksumOf(data).CRC32C),
	}
	in.IfNoneMatch, in.IfMatch = s3Conditions(cond)
	out, err := b.client.PutObject(ctx, in, b.ends...)
	if err != nil {
		return "", s3Unwritten(err)
	}
	return s3Generation(out.ETag), nil
}

func (b s3Bucket) begin(ctx context.Context, key string) (pieces, error) {
	out, err := b.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &b.name, Key: &key, ContentType: aws.String(contentType),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c, ChecksumType: types.ChecksumTypeFullObject,
	})
	if err != nil {
		return nil, s3Kind(err)
	}
	return &s3Pieces{bucket: b, key: key, id: out.UploadId}, nil
}

// s3Pieces is a multipart upload.
type s3Pieces struct {
	bucket s3Bucket
	key    string
	id     *string
	parts  []types.CompletedPart
}

func (p *s3Pieces) add(ctx context.Context, data []byte) error {
	number := aws.Int32(int32(len(p.parts) + 1))
	sum := crc32cText(objstore.ChecksumOf(data).CRC32C)
	out, err := p.bucket.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &p.bucket.name, Key: &p.key, UploadId: p.id, PartNumber: number,
		Body: bytes.NewReader(data), ChecksumCRC32C: sum,
	})
	if err != nil {
		return s3Unwritten(err)
	}
	p.parts = append(p.parts, types.CompletedPart{PartNumber: number, ETag: out.ETag, ChecksumCRC32C: sum})
	return nil
}

func (p *s3Pieces) finish(ctx context.Context, cond objstore.Condition, sum objstore.Checksum) (string, error) {
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &p.bucket.name, Key: &p.key, UploadId: p.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: p.parts},
		ChecksumCRC32C:  crc32cText(sum.CRC32C), ChecksumType: types.ChecksumTypeFullObject,
		MpuObjectSize: &sum.Size,
	}
	in.IfNoneMatch, in.IfMatch = s3Conditions(cond)
	out, err := p.bucket.client.CompleteMultipartUpload(ctx, in, p.bucket.ends...)
	if err != nil {
		return "", s3Unwritten(err)
	}
	return s3Generation(out.ETag), nil
}

func (p *s3Pieces) abandon(ctx context.Context) {
	_, _ = p.bucket.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &p.bucket.name, Key: &p.key, UploadId: p.id,
	})
}

func s3Conditions(cond objstore.Condition) (ifNoneMatch, ifMatch *string) {
	if cond == objstore.Absent {
		return aws.String("*"), nil
	}
	return nil, s3ETag(cond.Generation())
}

// s3Unwritten gives the kind of a failed write. That the object is missing is
// an answer to the condition. That the upload is missing says nothing: it may
// have ended with success, and the answer was lost.
func s3Unwritten(err error) error {
	failed := s3Kind(err)
	switch {
	case codeOf(err) == "NoSuchUpload":
		return err
	case errors.Is(failed, objstore.ErrNotExist):
		return fmt.Errorf("%w: %w", objstore.ErrPrecondition, err)
	}
	return failed
}
