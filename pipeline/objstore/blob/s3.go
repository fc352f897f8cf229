package blob

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	gocloud "gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // opens s3://

	"github.com/churntier/churntier/pipeline/objstore"
)

// defaultRegion is that of a store that is not of AWS, which has none.
const defaultRegion = "us-east-1"

// OpenS3 connects to a bucket as the environment says. Whether it exists shows
// at the first use.
func OpenS3(ctx context.Context, bucket string) (*Driver, error) {
	opened, err := gocloud.OpenBucket(ctx, "s3://"+bucket)
	if err != nil {
		return nil, fmt.Errorf("%w: connect to S3: %w", objstore.ErrPermission, err)
	}
	var client *s3.Client
	if !opened.As(&client) {
		return nil, errors.New("gocloud.dev holds no client of S3")
	}
	if client.Options().Region == "" && client.Options().BaseEndpoint == nil {
		return nil, fmt.Errorf("%w: connect to S3: the region of the bucket is not known; set AWS_REGION",
			objstore.ErrPermission)
	}
	if _, err := client.Options().Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("%w: connect to S3: no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "+
			"or AWS_PROFILE, or give this machine a role: %w", objstore.ErrPermission, err)
	}
	return NewS3(client, bucket), nil
}

// NewS3 gives a bucket that a client reaches.
func NewS3(client *s3.Client, bucket string) *Driver {
	b := s3Bucket{name: bucket, client: s3.New(client.Options(), adjust)}
	return &Driver{objects: b, uploads: b}
}

// adjust repeats a conditional write that met another one: what S3 answers then
// does not say who was first, and asks for that. 429 is what other makers say
// for SlowDown.
func adjust(o *s3.Options) {
	o.Retryer = retry.AddWithErrorCodes(o.Retryer, "ConditionalRequestConflict", "OperationAborted", "TooManyRequests")
	o.DisableLogOutputChecksumValidationSkipped = true
	if o.BaseEndpoint != nil {
		o.UsePathStyle = true
		if o.Region == "" {
			o.Region = defaultRegion
		}
	}
}

type s3Bucket struct {
	name   string
	client *s3.Client
	ends   []func(*s3.Options) // of the requests that make an object visible
}

func (b s3Bucket) page(ctx context.Context, prefix string, folders bool, token string) ([]objstore.Attrs, string, error) {
	in := &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: optional(prefix), ContinuationToken: optional(token)}
	if folders {
		in.Delimiter = aws.String("/")
	}
	out, err := b.client.ListObjectsV2(ctx, in)
	if err != nil {
		return nil, "", s3Kind(err)
	}
	var found []objstore.Attrs
	for _, o := range out.Contents {
		found = append(found, objstore.Attrs{
			Key: value(o.Key), Size: value(o.Size), Generation: s3Generation(o.ETag), Modified: value(o.LastModified),
		})
	}
	for _, folder := range out.CommonPrefixes {
		found = append(found, objstore.Attrs{Key: value(folder.Prefix)})
	}
	return found, value(out.NextContinuationToken), nil
}

// head asks again where the answer is that the object is missing: it has no
// body that could say that the bucket is.
func (b s3Bucket) head(ctx context.Context, key, generation string) (objstore.Attrs, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &b.name, Key: &key, IfMatch: s3ETag(generation), ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		err = s3Kind(err)
		if errors.Is(err, objstore.ErrNotExist) {
			_, _, missing := b.page(ctx, key, true, "")
			return objstore.Attrs{}, errors.Join(missing, err)
		}
		return objstore.Attrs{}, err
	}
	a := objstore.Attrs{Key: key, Size: value(out.ContentLength), Generation: s3Generation(out.ETag), Modified: value(out.LastModified)}
	if out.ChecksumType != types.ChecksumTypeComposite {
		a.CRC32C, a.HasCRC32C = crc32cOf(value(out.ChecksumCRC32C))
	}
	return a, nil
}

func (b s3Bucket) get(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	in := &s3.GetObjectInput{Bucket: &b.name, Key: &key, IfMatch: s3ETag(generation)}
	switch {
	case length > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	case offset > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", offset))
	}
	out, err := b.client.GetObject(ctx, in)
	if err != nil {
		return nil, s3Kind(err)
	}
	if now := s3Generation(out.ETag); generation != "" && now != generation { // the store ignored If-Match
		return nil, errors.Join(fmt.Errorf("%w: there is %s", objstore.ErrPrecondition, now), out.Body.Close())
	}
	return out.Body, nil
}

func (b s3Bucket) remove(ctx context.Context, key, generation string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key, IfMatch: s3ETag(generation)})
	return s3Kind(err)
}

// s3Generation gives an ETag without its quotes, which some stores leave out of
// their listings.
func s3Generation(etag *string) string { return strings.Trim(value(etag), `"`) }

func s3ETag(generation string) *string {
	if generation == "" {
		return nil
	}
	return aws.String(`"` + generation + `"`)
}

// crc32cText is a checksum as S3 writes it.
func crc32cText(sum uint32) *string {
	return aws.String(base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum)))
}

func crc32cOf(text string) (sum uint32, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(raw), true
}
