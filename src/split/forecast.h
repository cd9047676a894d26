/* What requests are to be told that they will take: the predictions of the deployments, kept up to
 * date with link, load and corrections. Private to split/.
 *
 *     clv_forecast_begin(s, d);                         // loop's thread, before requests get it
 *     clv_forecast_look(s);                             // loop's thread, after each look of the planner
 *     request->predicted = clv_forecast_of(s, d);       // any thread
 */
#ifndef CLV_SPLIT_FORECAST_H
#define CLV_SPLIT_FORECAST_H

#include "split/splitter_priv.h"

void clv_forecast_begin(clv_splitter *s, clv_deployment *d);
void clv_forecast_look(clv_splitter *s);
clv_prediction clv_forecast_of(clv_splitter *s, const clv_deployment *d);

#endif
