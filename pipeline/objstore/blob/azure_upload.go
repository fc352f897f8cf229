package blob

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	azureblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/churntier/churntier/pipeline/objstore"
)

func (c azureContainer) once() writer {
	c.single = true
	return c
}

// ending is the context of a request that makes an object visible.
func (c azureContainer) ending(ctx context.Context) context.Context {
	if c.single {
		return policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: -1})
	}
	return ctx
}

func (c azureContainer) whole(ctx context.Context, key string, cond objstore.Condition, data []byte) (string, error) {
	out, err := c.client.NewBlockBlobClient(key).Upload(c.ending(ctx), streaming.NopCloser(bytes.NewReader(data)), &blockblob.UploadOptions{
		HTTPHeaders: headers(), AccessConditions: azureConditions(cond), TransactionalValidation: md5Of(data),
	})
	if err != nil {
		return "", azureUnwritten(err)
	}
	return generationOf(out.ETag), nil
}

func (c azureContainer) begin(_ context.Context, key string) (pieces, error) {
	return &azurePieces{container: c, client: c.client.NewBlockBlobClient(key), upload: rand.Text()}, nil
}

// azurePieces are blocks of a blob. Their names begin with that of the upload:
// all who write a blob share the space of its blocks.
type azurePieces struct {
	container azureContainer
	client    *blockblob.Client
	upload    string
	blocks    []string
}

func (p *azurePieces) add(ctx context.Context, data []byte) error {
	name := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%06d", p.upload, len(p.blocks)))
	_, err := p.client.StageBlock(ctx, name, streaming.NopCloser(bytes.NewReader(data)), &blockblob.StageBlockOptions{
		TransactionalValidation: md5Of(data),
	})
	if err != nil {
		return azureUnwritten(err)
	}
	p.blocks = append(p.blocks, name)
	return nil
}

func (p *azurePieces) finish(ctx context.Context, cond objstore.Condition, _ objstore.Checksum) (string, error) {
	out, err := p.client.CommitBlockList(p.container.ending(ctx), p.blocks, &blockblob.CommitBlockListOptions{
		HTTPHeaders: headers(), AccessConditions: azureConditions(cond),
	})
	if err != nil {
		return "", azureUnwritten(err)
	}
	return generationOf(out.ETag), nil
}

// abandon leaves the blocks to the store, which drops them after a week.
func (p *azurePieces) abandon(context.Context) {}

func headers() *azureblob.HTTPHeaders {
	kind := contentType
	return &azureblob.HTTPHeaders{BlobContentType: &kind}
}

func md5Of(data []byte) azureblob.TransferValidationType {
	sum := md5.Sum(data)
	return azureblob.TransferValidationTypeMD5(sum[:])
}
