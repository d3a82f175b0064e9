using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>Answers each failure with <c>application/problem+json</c>.</summary>
internal sealed partial class ProblemHandler(IProblemDetailsService problems, ILogger<ProblemHandler> logger) : IExceptionHandler
{
    /// <summary>What nginx logs for a client that has gone: nobody reads the answer.</summary>
    private const int ClientClosedRequest = 499;

    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = ClientClosedRequest;
            return true;
        }

        var problem = Problem.Of(exception);
        if (problem.Kind == Problem.Unexpected)
        {
            LogUnexpected(logger, exception, context.Request.Path);
        }

        return await WriteAsync(problems, context, problem);
    }

    public static async ValueTask<bool> WriteAsync(IProblemDetailsService problems, HttpContext context, Problem problem)
    {
        context.Response.StatusCode = problem.Status;
        if (problem.Status is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status429TooManyRequests)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        return await problems.TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = new ProblemDetails
            {
                Status = problem.Status,
                Type = $"/problems/{problem.Kind}",
                Title = problem.Kind,
                Detail = problem.Detail,
                Extensions = { ["fault"] = problem.Fault },
            },
        });
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "The request {Path} failed.")]
    private static partial void LogUnexpected(ILogger logger, Exception exception, string path);
}
