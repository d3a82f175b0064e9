using Microsoft.AspNetCore.Http.HttpResults;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>The page, which is embedded in the assembly.</summary>
internal static class PageEndpoints
{
    /// <summary>Nothing is loaded from elsewhere, and nothing else embeds the page.</summary>
    private const string ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    public static void MapPage(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", static (HttpContext context) => Send(context, "index.html", "text/html; charset=utf-8"));
        routes.MapGet("/page.css", static (HttpContext context) => Send(context, "page.css", "text/css; charset=utf-8"));
        routes.MapGet("/page.js", static (HttpContext context) => Send(context, "page.js", "text/javascript; charset=utf-8"));
    }

    private static FileStreamHttpResult Send(HttpContext context, string file, string type)
    {
        context.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "no-cache";
        return TypedResults.File(typeof(PageEndpoints).Assembly.GetManifestResourceStream(file)!, type);
    }
}
