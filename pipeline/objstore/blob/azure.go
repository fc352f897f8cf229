package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azureblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	gocloud "gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // opens azblob://

	"github.com/churntier/churntier/pipeline/objstore"
)

// OpenAzure connects to a container as the environment says. Whether it exists
// shows at the first use.
func OpenAzure(ctx context.Context, name string) (*Driver, error) {
	opened, err := gocloud.OpenBucket(ctx, "azblob://"+name)
	if err != nil {
		return nil, fmt.Errorf("%w: connect to Azure Blob Storage: %w; set AZURE_STORAGE_ACCOUNT", objstore.ErrPermission, err)
	}
	var client *container.Client
	if !opened.As(&client) {
		return nil, errors.New("gocloud.dev holds no client of Azure")
	}
	return NewAzure(client), nil
}

// NewAzure gives a container that a client reaches.
func NewAzure(client *container.Client) *Driver {
	c := azureContainer{client: client}
	return &Driver{objects: c, uploads: c}
}

// azurePage is how many objects are asked for at once.
const azurePage = 1000

type azureContainer struct {
	client *container.Client
	single bool // requests that make an object visible are not repeated
}

func (c azureContainer) page(ctx context.Context, prefix string, folders bool, token string) ([]objstore.Attrs, string, error) {
	delimiter, most := "", int32(azurePage)
	if folders {
		delimiter = "/"
	}
	out, err := c.client.NewListBlobsHierarchyPager(delimiter, &container.ListBlobsHierarchyOptions{
		Prefix: optional(prefix), Marker: optional(token), MaxResults: &most,
	}).NextPage(ctx)
	if err != nil {
		return nil, "", azureKind(err)
	}
	var found []objstore.Attrs
	for _, o := range out.Segment.BlobItems {
		if value(o.Properties.ResourceType) == "directory" { // of an account with a hierarchical namespace
			continue
		}
		found = append(found, objstore.Attrs{
			Key: value(o.Name), Size: value(o.Properties.ContentLength),
			Generation: generationOf(o.Properties.ETag), Modified: value(o.Properties.LastModified),
		})
	}
	for _, folder := range out.Segment.BlobPrefixes {
		found = append(found, objstore.Attrs{Key: value(folder.Name)})
	}
	return found, value(out.NextMarker), nil
}

func (c azureContainer) head(ctx context.Context, key, generation string) (objstore.Attrs, error) {
	out, err := c.client.NewBlobClient(key).GetProperties(ctx, &azureblob.GetPropertiesOptions{
		AccessConditions: azureConditions(pinned(generation)),
	})
	if err != nil {
		return objstore.Attrs{}, azureKind(err)
	}
	return objstore.Attrs{
		Key: key, Size: value(out.ContentLength), Generation: generationOf(out.ETag), Modified: value(out.LastModified),
	}, nil
}

func (c azureContainer) get(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	out, err := c.client.NewBlobClient(key).DownloadStream(ctx, &azureblob.DownloadStreamOptions{
		Range:            azureblob.HTTPRange{Offset: offset, Count: max(length, 0)}, // 0 is the rest
		AccessConditions: azureConditions(pinned(generation)),
	})
	if err != nil {
		return nil, azureKind(err)
	}
	return out.Body, nil
}

func (c azureContainer) remove(ctx context.Context, key, generation string) error {
	_, err := c.client.NewBlobClient(key).Delete(ctx, &azureblob.DeleteOptions{
		AccessConditions: azureConditions(pinned(generation)),
	})
	return azureKind(err)
}

// generationOf gives an ETag without the quotes that a listing leaves out.
func generationOf(etag *azcore.ETag) string { return strings.Trim(string(value(etag)), `"`) }

func azureConditions(cond objstore.Condition) *azureblob.AccessConditions {
	match := &azureblob.ModifiedAccessConditions{}
	switch cond {
	case objstore.Any:
		return nil
	case objstore.Absent:
		everything := azcore.ETagAny
		match.IfNoneMatch = &everything
	default:
		etag := azcore.ETag(`"` + cond.Generation() + `"`)
		match.IfMatch = &etag
	}
	return &azureblob.AccessConditions{ModifiedAccessConditions: match}
}

// pinned is the condition of a read.
func pinned(generation string) objstore.Condition {
	if generation == "" {
		return objstore.Any
	}
	return objstore.IfGeneration(generation)
}
