using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>Limits the requests of each address.</summary>
internal static class RateLimits
{
    public static void Add(IServiceCollection services)
    {
        services.AddRateLimiter(static limiter =>
        {
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(static context =>
            {
                int permits = context.RequestServices.GetRequiredService<IOptions<ServiceOptions>>().Value.RequestsPerSecond;
                string address = context.Connection.RemoteIpAddress?.ToString() ?? string.Empty;
                return RateLimitPartition.GetTokenBucketLimiter(address, _ => new TokenBucketRateLimiterOptions
                {
                    TokenLimit = permits,
                    TokensPerPeriod = permits,
                    ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                    QueueLimit = 0,
                });
            });
            limiter.OnRejected = static async (rejected, _) => await ProblemHandler.WriteAsync(
                rejected.HttpContext.RequestServices.GetRequiredService<IProblemDetailsService>(),
                rejected.HttpContext,
                new Problem(StatusCodes.Status429TooManyRequests, "rate-limit", "caller", "There were too many requests in this second. Try again in the next one."));
        });
    }
}
