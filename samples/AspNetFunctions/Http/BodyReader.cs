using System.Buffers;
using System.IO.Pipelines;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>Reads a body of bounded size.</summary>
internal static class BodyReader
{
    /// <exception cref="BodyTooLargeException">The body has more bytes than permitted; the rest of it is not read.</exception>
    public static async Task<byte[]> ReadAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit)
        {
            throw new BodyTooLargeException(limit);
        }

        PipeReader reader = request.BodyReader;
        while (true)
        {
            ReadResult read = await reader.ReadAsync(cancellationToken);
            if (read.Buffer.Length > limit)
            {
                reader.AdvanceTo(read.Buffer.End);
                throw new BodyTooLargeException(limit);
            }

            if (read.IsCompleted)
            {
                byte[] body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
